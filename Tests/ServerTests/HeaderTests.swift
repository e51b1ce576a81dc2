import NIOHTTP1
import OCILayout
import OCISpec
import Testing

@testable import Server

@Suite("headers and queries") struct HeaderTests {
  @Test(
    "a target is split and decoded",
    arguments: [
      ("/v2/", "/v2/", nil), ("/v2/?q=1", "/v2/", "1"),
      ("/a%2Fb?x=1&q=sha256%3Aab", "/a/b", "sha256:ab"),
      ("/a?q=x+y", "/a", "x+y"), ("/a?q=1&q=2", "/a", "1"), ("/a?q", "/a", ""),
      ("/a?q=a=b", "/a", "a=b"),
      ("/a?&&q=1", "/a", "1"), ("/a?q=1?2", "/a", "1?2"), ("http://h:1/v2/?q=1", "/v2/", "1"),
      ("http://h", "/", nil),
    ] as [(String, String, String?)])
  func targets(_ text: String, _ path: String, _ value: String?) throws {
    let target = try #require(RequestTarget(text))
    #expect(target.path == path)
    #expect(target["q"] == value)
  }

  @Test(
    "a target with broken escapes is refused", arguments: ["/%", "/%4", "/%zz", "/%ff", "/?q=%f"])
  func brokenTargets(_ text: String) async throws {
    #expect(RequestTarget(text) == nil)
    #expect(try await Desk().ask(.GET, text).status == 400)
  }

  @Test(
    "a range is a part, the whole, or cannot be given",
    arguments: [
      (nil, .whole), ("bytes=0-3", .part(0..<4)), ("bytes=2-", .part(2..<10)),
      ("bytes=9-9", .part(9..<10)), ("bytes=0-99", .part(0..<10)), ("Bytes=1-2", .part(1..<3)),
      ("bytes=-3", .part(7..<10)), ("bytes=-99", .part(0..<10)), ("bytes=10-", .unsatisfiable),
      ("bytes=10-12", .unsatisfiable), ("bytes=-0", .unsatisfiable), ("bytes=3-2", .whole),
      ("bytes=0-1,4-5", .whole), ("lines=0-1", .whole), ("bytes=", .whole), ("bytes=-", .whole),
      ("bytes=a-b", .whole), ("bytes=1-b", .whole), ("bytes=+1-2", .whole), ("0-3", .whole),
      ("bytes=99999999999999999999-", .whole),
    ] as [(String?, RequestedRange)])
  func ranges(_ header: String?, _ expected: RequestedRange) {
    #expect(RequestedRange(header, size: 10) == expected)
  }

  @Test("no part of an empty blob can be given", arguments: ["bytes=0-", "bytes=-1"])
  func rangesOfNothing(_ header: String) {
    #expect(RequestedRange(header, size: 0) == .unsatisfiable)
  }

  @Test(
    "a chunk's range is FIRST-LAST",
    arguments: [
      ("0-0", 0, 1), ("0-9", 0, 10), ("10-19", 10, 10), ("9-8", nil, 0), ("bytes 0-9", nil, 0),
      ("0-9/10", nil, 0), ("-9", nil, 0), ("0-", nil, 0), ("", nil, 0), ("0-1-2", nil, 0),
      ("0-9223372036854775807", nil, 0),
    ] as [(String, Int64?, Int64)])
  func chunks(_ header: String, _ first: Int64?, _ count: Int64) {
    let range = try? ChunkRange(header)
    #expect(range?.first == first)
    if first != nil { #expect(range?.count == count) }
  }

  @Test(
    "a media type is accepted by name, by pattern, or where nothing is said",
    arguments: [
      ([], true), (["*/*"], true), (["application/*"], true),
      (["text/html, application/vnd.oci.image.index.v1+json"], true),
      (["text/html", "APPLICATION/VND.OCI.IMAGE.INDEX.V1+JSON ; q=0.5"], true),
      (["application/json"], false), (["application/vnd.oci.image.manifest.v1+json"], false),
      (["application/vnd.oci.image.index.v1+json;q=0"], false), ([""], false),
    ])
  func accepted(_ headers: [String], _ isAccepted: Bool) {
    #expect(AcceptedTypes(headers).contains(.imageIndex) == isAccepted)
  }

  @Test(
    "a page is what follows the last entry, up to a number",
    arguments: [
      ("", ["a", "b", "c"], nil), ("?n=2", ["a", "b"], "</t?n=2&last=b>; rel=\"next\""),
      ("?n=3", ["a", "b", "c"], nil), ("?n=9", ["a", "b", "c"], nil), ("?n=0", [], nil),
      ("?last=a", ["b", "c"], nil), ("?n=1&last=a", ["b"], "</t?n=1&last=b>; rel=\"next\""),
      ("?n=1&last=c", [], nil), ("?last=aa", ["b", "c"], nil),
    ] as [(String, [String], String?)])
  func pages(_ query: String, _ entries: [String], _ link: String?) throws {
    let page = try Page(["a", "b", "c"], #require(RequestTarget("/t\(query)")))
    #expect(page.entries == entries)
    #expect(page.link(to: "/t").first(name: "Link") == link)
  }

  @Test("a number of entries that is none is refused", arguments: ["-1", "x", "", "1.5"])
  func brokenPages(_ n: String) async throws {
    let desk = try Desk()
    try desk.layout.update { $0.manifests = [Descriptor(try desk.store("x"), named: "v1")] }
    #expect(try await desk.ask(.GET, "/v2/a/tags/list?n=\(n)").status == 400)
  }

  @Test(
    "the log has neither queries nor what gives access to an upload",
    arguments: [
      ("/v2/a/blobs/uploads/?mount=x", "/v2/a/blobs/uploads/"),
      ("/v2/a/blobs/uploads/secret?digest=x", "/v2/a/blobs/uploads/…"),
      ("/v2/\u{1B}[2J", "/v2/\\u{1b}[2J"), ("/v2/a/manifests/v1", "/v2/a/manifests/v1"),
    ])
  func logs(_ target: String, _ path: String) { #expect(loggedPath(target) == path) }
}

extension Descriptor {
  init(_ descriptor: Descriptor, named name: String) {
    self = descriptor
    annotations[AnnotationKey.refName] = name
  }
}
