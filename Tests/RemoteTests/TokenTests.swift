import Credentials
import OCISpec
import Reporting
import Testing

@testable import Remote

@Suite("Scopes of a token")
struct TokenScopeTests {
  private let app = Repository(registry: Registry(host: "r.test"), path: "team/app")
  private let base = Repository(registry: Registry(host: "r.test"), path: "team/base")

  @Test("name the repository without its host, and what is wanted")
  func spelling() {
    #expect("\(TokenScope.pull(app))" == "repository:team/app:pull")
    #expect("\(TokenScope.push(app))" == "repository:team/app:pull,push")
    #expect("\(TokenScope.delete(app))" == "repository:team/app:pull,push,delete")
  }

  @Test(
    "the first and the last colon count",
    arguments: [
      ("repository:a/b:pull,push", "repository:a/b", ["pull", "push"]),
      ("repository:host:5000/a:pull", "repository:host:5000/a", ["pull"]),
      ("registry:catalog:*", "registry:catalog", ["*"]),
      ("repository(plugin):a:pull", "repository(plugin):a", ["pull"]),
    ])
  func parses(text: String, resource: String, actions: [String]) {
    #expect(TokenScope(text) == TokenScope(resource: resource, actions: Set(actions)))
  }

  @Test(
    "anything else is none",
    arguments: ["", ":", "a:b", "repository:a:", "repository:a:,", "repository:a:pu ll", "r:a:p\n"])
  func refuses(text: String) {
    #expect(TokenScope(text) == nil)
  }

  @Test("one scope for each repository, the first one asked for first")
  func merges() {
    let scopes = TokenScopes([.push(app), .pull(base), .pull(app)])
    #expect(
      scopes.scopes.map(\.description)
        == ["repository:team/app:pull,push", "repository:team/base:pull"])
    let other = TokenScopes([.pull(base), .pull(app), .push(app)])
    #expect(scopes != other)
    #expect(scopes.cacheKey == other.cacheKey)
    #expect(scopes.cacheKey == "repository:team/app:pull,push repository:team/base:pull")
  }

  @Test("what a challenge asks for comes behind what was asked for")
  func union() {
    let challenge = TokenScopes(
      challenge: "repository:team/base:pull junk  repository:team/app:pull,push,delete")
    #expect(challenge.scopes.count == 2)
    #expect(
      TokenScopes([.pull(app)]).union(challenge).scopes.map(\.description)
        == ["repository:team/app:pull,push,delete", "repository:team/base:pull"])
    #expect(TokenScopes(challenge: "").scopes.isEmpty)
    let many = (0..<1000).map { "repository:a\($0):pull" }.joined(separator: " ")
    #expect(TokenScopes(challenge: many).scopes.count == 32)
  }

  @Test("a token for more serves for less")
  func supersets() {
    let large = TokenScopes([.push(app), .pull(base)])
    #expect(large.isSuperset(of: TokenScopes([.pull(app)])))
    #expect(large.isSuperset(of: large))
    #expect(large.isSuperset(of: TokenScopes(challenge: "")))
    #expect(!large.isSuperset(of: TokenScopes([.delete(app)])))
    #expect(!TokenScopes([.pull(app)]).isSuperset(of: large))
    let all = TokenScopes(challenge: "repository:team/app:*")
    #expect(all.isSuperset(of: TokenScopes([.delete(app)])))
  }
}

@Suite("Answer of a token service")
struct TokenResponseTests {
  private func parse(_ text: String) throws -> TokenResponse {
    try TokenResponse(parsing: Array(text.utf8))
  }

  @Test(
    "A5: the token has either name",
    arguments: [
      (#"{"token":"t"}"#, "t"), (#"{"access_token":"a"}"#, "a"),
      (#"{"token":"t","access_token":"a"}"#, "t"), (#"{"token":"","access_token":"a"}"#, "a"),
      (#"{"token":null,"access_token":"a"}"#, "a"),
    ])
  func tokens(body: String, token: String) throws {
    #expect(try parse(body).token.reveal() == token)
  }

  @Test(
    "A5: what is no token is an error that shows nothing of it",
    arguments: [
      ("{}", .noToken), (#"{"token":""}"#, .noToken), (#"{"token":7}"#, .noToken),
      ("<html>hush</html>", .notAnObject), ("", .notAnObject), (#"["hush"]"#, .notAnObject),
      (#"{"token":"a","token":"hush"}"#, .notAnObject),
      (#"{"token":"hush\nX: y"}"#, .unusableToken), (#"{"token":"hush\r"}"#, .unusableToken),
      (#"{"token":"hush\u0000"}"#, .unusableToken), (#"{"token":"hush hush"}"#, .unusableToken),
    ] as [(String, TokenResponseError)])
  func refuses(body: String, error: TokenResponseError) {
    #expect(throws: error) { try parse(body) }
  }

  @Test("A5: 128 KiB are read, 5 MiB are not")
  func bounded() throws {
    func body(_ count: Int) -> String {
      #"{"token":"t","pad":""# + String(repeating: "a", count: count - 22) + #""}"#
    }
    #expect(body(100).utf8.count == 100)
    #expect(try parse(body(128 << 10)).token.reveal() == "t")
    #expect(throws: TokenResponseError.tooLarge) { try parse(body((128 << 10) + 1)) }
    #expect(throws: TokenResponseError.tooLarge) { try parse(body(5 << 20)) }
  }

  @Test(
    "A4: the lifetime is a minute at least, whatever the service says and whatever its clock shows",
    arguments: [
      ("", 60), (#""expires_in":0"#, 60), (#""expires_in":-5"#, 60), (#""expires_in":59"#, 60),
      (#""expires_in":300"#, 300), (#""expires_in":300.9"#, 300), (#""expires_in":"300""#, 300),
      (#""expires_in":"soon""#, 60), (#""expires_in":null"#, 60), (#""expires_in":[]"#, 60),
      (#""expires_in":"nan""#, 60), (#""expires_in":9223372036854775807"#, 86_400),
      (#""expires_in":1e400"#, 86_400), (#""expires_in":-1e400"#, 60),
      (#""expires_in":300,"issued_at":"1999-01-01T00:00:00Z""#, 300),
      (#""expires_in":300,"issued_at":"2999-01-01T00:00:00.123456789Z""#, 300),
      (#""issued_at":17"#, 60),
    ])
  func lifetimes(members: String, seconds: Int64) throws {
    let response = try parse(#"{"token":"t"\#(members.isEmpty ? "" : ",")\#(members)}"#)
    #expect(response.lifetime == .seconds(seconds))
    #expect(response.renewalAge >= .seconds(54))
  }

  @Test("another token is had in the last tenth of its life, and five seconds before its end")
  func renewal() throws {
    #expect(try parse(#"{"token":"t"}"#).renewalAge == .seconds(54))
    #expect(try parse(#"{"token":"t","expires_in":3600}"#).renewalAge == .seconds(3240))
  }

  @Test("the answer prints without its secrets; every error is the service's")
  func texts() throws {
    #expect(!"\(try parse(#"{"token":"hush","refresh_token":"hush"}"#))".contains("hush"))
    for error in TokenResponseError.allCases {
      #expect(error.kind == .protocolBroken)
      #expect(error.description.contains("token service"))
    }
  }
}

@Suite("Referrers tag")
struct ReferrersTagTests {
  @Test(
    "is what the distribution-spec's table says",
    arguments: [
      ("sha256", String(repeating: "a", count: 64), "sha256-" + String(repeating: "a", count: 64)),
      ("sha512", String(repeating: "a", count: 128), "sha512-" + String(repeating: "a", count: 64)),
      (
        "test+algorithm+using+algorithm+separators+and+lots+of+characters+to+excercise+overall+truncation",
        "alsoSome=InTheEncodedSectionToShowHyphenReplacementAndLotsAndLotsOfCharactersToExcerciseEncodedTruncation",
        "test-algorithm-using-algorithm-s-alsoSome-InTheEncodedSectionToShowHyphenReplacementAndLotsAndLot"
      ),
    ])
  func table(algorithm: String, encoded: String, tag: String) throws {
    #expect(ReferrersTag.tag(algorithm: algorithm, encoded: encoded) == tag)
    #expect(Reference.isTag(tag))
    if let known = Digest.Algorithm(rawValue: algorithm) {
      #expect(ReferrersTag.tag(for: try Digest(known, hex: encoded)) == tag)
    }
  }
}
