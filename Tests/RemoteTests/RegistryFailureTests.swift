import Bindings
import OCISpec
import Reporting
import Testing

@testable import Remote

@Suite struct RegistryFailureTests {
  @Test("a failure says what was done, where, what came of it, and its kind")
  func texts() throws {
    let url = try RemoteURL(parsing: "https://u:p@r.ex/v2/a/manifests/v1?token=s3cret")
    let next = try RemoteURL(parsing: "http://r.ex/x?token=s3cret")
    let a = try Digest.sha256(of: [1]), b = try Digest.sha256(of: [2])
    let message = RegistryMessage(code: "DENIED", message: "no \u{1B}[31mway")
    let cases: [(RegistryFailure.Problem, FailureKind, String)] = [
      (.network(.stalled), .unavailable, "stalled: nothing came for too long"),
      (.status(404, []), .notFound, "status 404"),
      (.status(418, []), .protocolBroken, "status 418"),
      (.status(503, []), .unavailable, "status 503"),
      (
        .askedToWait(status: 429, .seconds(600)), .unavailable,
        "status 429, and the registry asks to wait 600 s; try again then"
      ),
      (
        .redirectRefused(to: next, .toPlainHTTP), .protocolBroken,
        "redirect to http://r.ex/x refused: it leads from https to plain http"
      ),
      (
        .denied(status: 403, [message], source: "x.json"), .denied,
        "status 403: DENIED: no \\u{1b}[31mway; credential from x.json"
      ),
      (.denied(status: 401, [], source: nil), .denied, "status 401; no credential was found"),
      (
        .plaintextCredential(source: "x.json"), .denied,
        "the credential from x.json would go over plain http for everybody to read; --allow-plaintext-credentials sends it nevertheless"
      ),
      (
        .unusableCredential(source: "x.json"), .denied,
        "the credential from x.json has characters that no header can carry"
      ),
      (.protocolBroken("odd"), .protocolBroken, "odd"),
      (
        .digestMismatch(expected: a, found: b), .data, "digest mismatch: expected \(a), got \(b)"
      ),
      (.sizeMismatch(expected: 5, found: 6), .data, "expected 5 bytes, got 6"),
      (.tooLarge(limit: 9), .data, "more than 9 bytes, the limit for such an answer"),
      (.unsupportedMediaType("x/y"), .data, "media type \"x/y\" is not supported"),
      (
        .foreignLayer, .notFound,
        "the layer is a foreign one that its publisher keeps elsewhere; nothing is fetched from there"
      ),
      (.notARegistry, .protocolBroken, "no registry answers there"),
      (.offline, .unavailable, "--offline forbids the network"),
    ]
    for (problem, kind, text) in cases {
      let failure = RegistryFailure("pulling r.ex/a:v1", "GET", url, problem)
      #expect(failure.kind == kind)
      #expect(
        failure.description == "pulling r.ex/a:v1: GET https://r.ex/v2/a/manifests/v1: \(text)")
    }
    let tried = RegistryFailure(
      "pulling", "GET", url, .status(500, []), attempts: 5, advice: "wait a while")
    #expect(
      tried.description
        == "pulling: GET https://r.ex/v2/a/manifests/v1: status 500; gave up after 5 attempts; wait a while"
    )
  }
}
