import OCISpec
import Testing

@testable import Credentials

@Suite struct AWSTimeTests {
  @Test(
    "dates that AWS writes",
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("2026-01-01T00:00:00Z", 1_767_225_600),
      ("2026-01-01T00:00:00.123Z", 1_767_225_600), ("2026-01-01T01:30:00+01:30", 1_767_225_600),
      ("2025-12-31T19:00:00-05:00", 1_767_225_600), ("2024-02-29T12:00:01Z", 1_709_208_001),
      ("2026-02-30T00:00:00Z", nil), ("tomorrow", nil), ("", nil),
    ] as [(String, Int64?)])
  func parses(_ text: String, seconds: Int64?) {
    #expect(AWSTime.parsing(text) == seconds)
  }

  @Test(
    "dates in headers",
    arguments: [
      ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
      ("Sun, 06 Nov 1994 08:49:37", nil), ("Sun, 06 Foo 1994 08:49:37 GMT", nil),
      ("Sun, 06 Nov 99999999999999999999 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 8:49 GMT", nil),
    ] as [(String, Int64?)])
  func headers(_ text: String, seconds: Int64?) {
    #expect(secondsSince1970(httpDate: text[...]) == seconds)
  }

  @Test("a clock takes over what a service says only where it is far off")
  func clock() {
    let clock = AWSClock { 1000 }
    #expect(!clock.adopt(1100) && clock.now == 1000)
    #expect(clock.adopt(5000) && clock.now == 5000)
    #expect(!clock.adopt(5010) && clock.adopt(0) && clock.now == 0)
  }
}

@Suite struct AWSEndpointTests {
  @Test(
    "URLs that can be asked for",
    arguments: [
      ("https://a.test", "https://a.test/"), ("http://a.test:80/x", "http://a.test/x"),
      ("https://a.test:443", "https://a.test/"),
      ("https://A.test:8443/?q=1", "https://a.test:8443/?q=1"),
      ("http://[fd00:ec2::23]/v1", "http://[fd00:ec2::23]/v1"),
      ("http://127.0.0.1:1", "http://127.0.0.1:1/"),
    ])
  func parses(_ text: String, url: String) {
    #expect(AWSEndpoint(text)?.url == url)
  }

  @Test(
    "URLs that cannot",
    arguments: [
      "", "a.test", "ftp://a.test", "https://", "https://u:p@a.test", "https://a.test#f",
      "https://a.test/ b", "https://a.test\\b", "https://a.test:0", "https://a.test:70000",
      "https://a.test:", "http://127.1", "http://0x7f.1", "http://2130706433", "http://[::1",
      "http://[127.0.0.1]", "https://a.test/\n", "https://ä.test", "https://a:b:c",
    ])
  func refuses(_ text: String) {
    #expect(AWSEndpoint(text) == nil)
  }
}

@Suite struct XMLReplyTests {
  @Test("texts are found by their paths")
  func reads() throws {
    let reply = try XMLReply(
      parsing: Array(
        """
        <?xml version="1.0"?><!-- note -->
        <A xmlns="https://a/"><B><C> a &amp; b&#10;&#x41; </C><D/></B><B><C>second</C></B></A>

        """.utf8))
    #expect(reply["A/B/C"] == "a & b\nA")
    #expect(reply["A/C"] == nil)
  }

  @Test(
    "what no answer of STS looks like",
    arguments: [
      "", "text", "<A>", "<A></B>", "<A><B></A></B>", "</A>", "<A", "<A>&x;</A>", "<A>&amp</A>",
      "<A>&#xD800;</A>", "<!DOCTYPE a [<!ENTITY b \"c\">]><A/>", "<A></A><B></B>", "<A><!-- </A>",
      "<A><![CDATA[x]]></A>", String(repeating: "<A>", count: 1000),
    ])
  func refuses(_ text: String) {
    #expect(throws: XMLReply.Problem.self) { try XMLReply(parsing: Array(text.utf8)) }
  }

  @Test("bytes that are not UTF-8 are refused")
  func notUTF8() {
    #expect(throws: XMLReply.Problem.self) { try XMLReply(parsing: [0x3C, 0xFF, 0x3E]) }
  }
}

@Suite struct AWSConfigFileTests {
  @Test(
    "what the AWS command line reads",
    arguments: [
      ("[default]\nregion = a\n", ["default": ["region": "a"]]),
      ("\u{FEFF}[a]\r\nB=c\r\n", ["a": ["b": "c"]]),
      ("# x\n; y\n\n[ a ] # z\nb = c # d\ne = f;g\n", ["a": ["b": "c", "e": "f;g"]]),
      ("[a]\ns3 =\n  x = y\nb = c\n", ["a": ["s3": "", "b": "c"]]),
      ("[a]\nb = c\n  d\n", ["a": ["b": "c\nd"]]), ("[a]\nb = c=d=\n", ["a": ["b": "c=d="]]),
      ("[a]\nb=1\n[c]\n[a]\nb=2\nd=3\n", ["a": ["b": "2", "d": "3"], "c": [:]]), ("", [:]),
    ])
  func reads(_ text: String, sections: [String: [String: String]]) throws {
    #expect(try AWSConfigFile(parsing: Array(text.utf8), path: "f").sections == sections)
  }

  @Test(
    "what it does not, by line",
    arguments: [
      ("a = b", 1), ("[a]\nsecret", 2), ("[a\n", 1), ("[a]\n\n= b", 3), ("[]", 1),
    ])
  func refuses(_ text: String, line: Int) {
    #expect {
      try AWSConfigFile(parsing: Array(text.utf8), path: "f")
    } throws: { error in
      guard case AWSError.malformedFile("f", line, _)? = error as? AWSError else { return false }
      return !"\(error)".contains("secret")
    }
  }
}

@Suite struct CredentialProcessTests {
  @Test(
    "a command line is cut into words without a shell",
    arguments: [
      ("a", ["a"]), ("  a  b ", ["a", "b"]), (#""/a b/c" d"#, ["/a b/c", "d"]),
      ("a 'b \"c' d", ["a", "b \"c", "d"]), (#"a "b\"c\\d\e""#, ["a", #"b"c\d\e"#]),
      (#"a\ b c"#, ["a b", "c"]), (#"a """#, ["a", ""]), ("a $HOME;b|c", ["a", "$HOME;b|c"]),
      ("a'b'c", ["abc"]), ("a 'b", nil), (#"a "b"#, nil), (#"a \"#, nil), ("", []),
    ] as [(String, [String]?)])
  func words(_ text: String, words: [String]?) {
    #expect(CredentialProcess.words(text) == words)
  }
}
