import TestSupport
import Testing

@testable import Remote

@Suite("WWW-Authenticate")
struct ChallengeTests {
  /// One row of registry.md, C.1.
  struct Row: Sendable, CustomTestStringConvertible {
    let lines: [String]
    let challenges: [Challenge]
    let preferred: AuthenticationScheme?
    var testDescription: String { lines.joined(separator: " ⏎ ") }

    init(_ lines: String..., parse challenges: [Challenge], _ preferred: AuthenticationScheme?) {
      (self.lines, self.challenges, self.preferred) = (lines, challenges, preferred)
    }
  }

  private static func bearer(_ parameters: [String: String]) -> Challenge {
    Challenge(scheme: "bearer", parameters: parameters)
  }

  private static func basic(_ realm: String) -> Challenge {
    Challenge(scheme: "basic", parameters: ["realm": realm])
  }

  private static func bearer(
    _ realm: String, service: String? = nil, scope: String? = nil, error: String? = nil
  ) -> AuthenticationScheme {
    .bearer(realm: realm, service: service, scope: scope, error: error)
  }

  @Test(
    "A2: each form is read, and Bearer goes before Basic",
    arguments: [
      Row(
        #"Bearer realm="https://a/t",service="r",scope="repository:x:pull,push""#,
        parse: [
          bearer(["realm": "https://a/t", "service": "r", "scope": "repository:x:pull,push"])
        ], bearer("https://a/t", service: "r", scope: "repository:x:pull,push")),
      Row(
        "bearer realm=https://a/t,service=r",
        parse: [bearer(["realm": "https://a/t", "service": "r"])],
        bearer("https://a/t", service: "r")
      ),
      Row(
        #"Basic realm="a", Bearer realm="https://b/t""#,
        parse: [basic("a"), bearer(["realm": "https://b/t"])], bearer("https://b/t")),
      Row(
        #"Negotiate, Basic realm="x""#, parse: [Challenge(scheme: "negotiate"), basic("x")],
        .basic(realm: "x")),
      Row(
        #"Negotiate YII=, Bearer realm="https://b""#,
        parse: [Challenge(scheme: "negotiate"), bearer(["realm": "https://b"])], bearer("https://b")
      ),
      Row(
        #"Basic realm="a""#, #"Bearer realm="https://b""#,
        parse: [basic("a"), bearer(["realm": "https://b"])], bearer("https://b")),
      Row(
        #"Bearer realm = "https://a/t" , service = "r""#,
        parse: [bearer(["realm": "https://a/t", "service": "r"])],
        bearer("https://a/t", service: "r")
      ),
      Row(
        #"Bearer realm="https://a/\"q\"/t""#, parse: [bearer(["realm": #"https://a/"q"/t"#])],
        bearer(#"https://a/"q"/t"#)),
      Row(
        #"Bearer realm="/token",service=r"#, parse: [bearer(["realm": "/token", "service": "r"])],
        bearer("/token", service: "r")),
      Row(
        #"Bearer realm="https://a/t?x=1""#, parse: [bearer(["realm": "https://a/t?x=1"])],
        bearer("https://a/t?x=1")),
      Row(#"Bearer service="r""#, parse: [bearer(["service": "r"])], nil),
      Row(#"Bearer realm="https://a/t"#, parse: [], nil),
      Row(
        #"Bearer error="invalid_token",realm="https://a/t",error="insufficient_scope""#,
        parse: [bearer(["error": "invalid_token", "realm": "https://a/t"])],
        bearer("https://a/t", error: "invalid_token")),
      Row("", parse: [], nil),
      Row(parse: [], nil),
    ])
  func table(_ row: Row) {
    let challenges = Challenge.parse(row.lines)
    #expect(challenges == row.challenges)
    #expect(Challenge.preferred(in: challenges) == row.preferred)
  }

  @Test(
    "A2: what is no challenge ends its line; what was complete before it stays",
    arguments: [
      Row(#"Basic realm="a", Bearer realm="https://b"#, parse: [basic("a")], .basic(realm: "a")),
      Row(#"Basic realm="Dev" charset="UTF-8""#, parse: [], nil),
      Row(#"Basic realm="a", Bearer realm="b" x"#, parse: [basic("a")], .basic(realm: "a")),
      Row(#"realm="a""#, parse: [], nil),
      Row(#"Basic realm="a","#, parse: [basic("a")], .basic(realm: "a")),
      Row(#", ,Basic realm="a",,"#, parse: [basic("a")], .basic(realm: "a")),
      Row(#"="#, #"Basic realm="a""#, parse: [basic("a")], .basic(realm: "a")),
      Row("Basic", parse: [Challenge(scheme: "basic")], .basic(realm: nil)),
      Row("Basic realm=\"a\u{0}b\"", parse: [], nil),
      Row("Bearer realm=\"https://a\r\nX: y\"", parse: [], nil),
      Row(
        "Digest nonce=1, qop=\"auth,auth-int\"",
        parse: [Challenge(scheme: "digest", parameters: ["nonce": "1", "qop": "auth,auth-int"])],
        nil),
      Row(
        "Bearer scope=,realm=https://a/t?a=b&c=d,SERVICE=r",
        parse: [bearer(["realm": "https://a/t?a=b&c=d", "service": "r"])],
        bearer("https://a/t?a=b&c=d", service: "r")),
      Row(
        #"Bearer realm="https://a",scope="",service="""#,
        parse: [bearer(["realm": "https://a", "scope": "", "service": ""])], bearer("https://a")),
    ])
  func malformed(_ row: Row) { table(row) }

  @Test("A2: no more than 16 KiB of lines are read")
  func bounded() {
    let long = "Basic realm=\"\(String(repeating: "a", count: 16 << 10))\""
    #expect(Challenge.parse([long]).isEmpty)
    #expect(Challenge.parse(["Basic realm=\"a\"", long, "Bearer realm=\"b\""]).count == 1)
    let many = Array(repeating: "Basic realm=\"a\"", count: 10_000)
    #expect(Challenge.parse(many).count == (16 << 10) / many[0].utf8.count)
  }

  @Test(
    "A2: whatever bytes come, nothing crashes, and nothing that could end a header line gets through"
  )
  func randomBytes() {
    var generator = SplitMix(seed: 7)
    let pieces = [
      "Bearer", "Basic", " ", ",", "=", "\"", "\\", "realm", "https://a", "\t", "\r\n", "\u{0}",
      "é", ";",
      "<", ">", "rel=next", "299", "-",
    ]
    for round in 0..<3000 {
      let count = Int.random(in: 0..<40, using: &generator)
      let line =
        round % 2 == 0
        ? (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
        : String(
          decoding: (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) },
          as: UTF8.self)
      let challenges = Challenge.parse([line, line])
      #expect(challenges.count <= 2 * line.utf8.count)
      for value in challenges.flatMap({ [$0.scheme] + $0.parameters.keys + $0.parameters.values }) {
        #expect(!value.utf8.contains { [0, 10, 13].contains($0) }, "\(line.debugDescription)")
      }
      _ = LinkHeader.next(in: [line])
      var warnings = RegistryWarnings()
      #expect(warnings.collect([line]).allSatisfy { $0.utf8.allSatisfy { $0 >= 0x20 } })
    }
  }
}
