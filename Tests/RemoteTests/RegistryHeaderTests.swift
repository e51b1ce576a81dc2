import Testing

@testable import Remote

@Suite("Link")
struct LinkHeaderTests {
  @Test(
    "the next page's target is taken as it was written",
    arguments: [
      (#"</v2/n/tags/list?n=1&last=a>; rel="next""#, "/v2/n/tags/list?n=1&last=a"),
      ("</next>;rel=next", "/next"), ("</next> ; Rel = NEXT", "/next"),
      (#"</a>; rel="prev", </b>; rel="next""#, "/b"),
      (#"</a?x=1,2>; rel="prev", </b?x=1,%2C>; rel="next""#, "/b?x=1,%2C"),
      (#"</a>; rel="prev next""#, "/a"),
      (#"</a>; title="a, </x>; rel=next", </b>; rel=next"#, "/b"),
      (#"</a>; title="\"rel=next\"";rel=prev"#, nil), (#"</a>; rel=next; rel=prev"#, "/a"),
      (#"</a>; rel=prev; rel=next"#, nil),
      ("<https://b.test/x?y=%2B+z>; rel=next", "https://b.test/x?y=%2B+z"),
      ("</a>;;rel=next;", "/a"), ("</a>; foo; rel=next", "/a"), ("</a>", nil), ("", nil),
      ("<>; rel=next", nil),
      ("</a; rel=next", nil), ("/a; rel=next", nil), (#"</a>; rel="next"#, nil),
      ("</a> rel=next", nil),
    ] as [(String, String?)])
  func next(line: String, target: String?) {
    #expect(LinkHeader.next(in: [line]) == target)
  }

  @Test("it may stand in a later line; 16 KiB are read")
  func lines() {
    #expect(LinkHeader.next(in: ["junk", "</a>; rel=prev", "</b>; rel=next"]) == "/b")
    let long = "<\(String(repeating: "a", count: 16 << 10))>; rel=next"
    #expect(LinkHeader.next(in: [long, "</b>; rel=next"]) == nil)
    #expect(LinkHeader.next(in: []) == nil)
  }
}

@Suite("Warning")
struct RegistryWarningsTests {
  @Test(
    "S13: only the code 299 counts, and its text",
    arguments: [
      (#"299 - "deprecated""#, ["deprecated"]), (#"299 - "say \"hi\"""#, ["say \"hi\""]),
      (#"299 - "a", 299 - "b", 299 - "a""#, ["a", "b"]),
      (#"299 r.test:5000 "a" "Wed, 21 Oct 2015 07:28:00 GMT", 299 - "b""#, ["a", "b"]),
      (#"199 - "a", 299 - "b""#, ["b"]), (#"299 - "é, ok""#, ["é, ok"]),
      (#"299 - """#, []), (#"299 "a""#, []), (#"299 - a"#, []), (#"299 - "a"#, []), ("", []),
      (#"299 - "a" junk, 299 - "b""#, []), ("299 - \"a\u{1B}[31m\"", []),
      ("299 - \"a\u{202E}b\"", ["a\\u{202e}b"]),
    ])
  func texts(line: String, texts: [String]) {
    var warnings = RegistryWarnings()
    #expect(warnings.collect([line]) == texts)
  }

  @Test("S13: each is said once, whichever answer brings it again; 4,096 bytes are enough")
  func bounded() {
    var warnings = RegistryWarnings()
    #expect(warnings.collect(Array(repeating: #"299 - "a""#, count: 50)) == ["a"])
    #expect(warnings.collect([#"299 - "a""#, #"299 - "b""#]) == ["b"])
    let long = String(repeating: "c", count: 4090)
    #expect(warnings.collect(["299 - \"\(long)\""]).count == 1)
    #expect(warnings.collect([#"299 - "too much""#, #"299 - "fits""#]) == ["fits"])
    #expect(warnings.collect([#"299 - "d""#]).isEmpty)
  }
}

@Suite("Range of an upload")
struct UploadRangeTests {
  @Test(
    "U11: is 0-<end>, and bytes= may stand before it",
    arguments: [
      ("0-0", 0, 0), ("0-9", 0, 9), ("bytes=0-9", 0, 9), ("Bytes=0-9", 0, 9), (" 3-7 ", 3, 7),
      ("0-9223372036854775807", 0, Int64.max),
    ])
  func parses(text: String, start: Int64, end: Int64) {
    let range = UploadRange(text)
    #expect(range?.start == start && range?.end == end)
  }

  @Test(
    "U11: anything else is none",
    arguments: [
      "", "-", "0-", "-9", "9", "9-0", "0-9/10", "bytes 0-9", "0-9-9", "+0-9", "0--9", "a-b",
      "0-9223372036854775808", "0-0x9", "0-9,11-12",
    ])
  func refuses(text: String) {
    #expect(UploadRange(text) == nil)
  }

  @Test(
    "U11: says how much the registry has; what cannot be true ends the upload",
    arguments: [
      ("0-9", 10, 0, 10), ("0-4", 10, 0, 5), ("0-0", 10, 0, 0), ("0-0", 10, 1, 1),
      ("0-0", 0, 0, 0), ("0-10", 10, 0, nil), ("0-99", 10, 0, nil), ("1-9", 10, 0, nil),
      ("0-9223372036854775807", 10, 0, nil),
    ] as [(String, Int64, Int64, Int64?)])
  func counts(text: String, sent: Int64, acknowledged: Int64, byteCount: Int64?) throws {
    let range = try #require(UploadRange(text))
    #expect(range.byteCount(sent: sent, acknowledged: acknowledged) == byteCount)
  }
}
