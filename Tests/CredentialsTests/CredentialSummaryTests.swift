import Credentials
import Foundation
import TestSupport
import Testing

@Suite("CredentialSummary") struct CredentialSummaryTests {
  @Test(
    "a summary names the user and what there is, with its end where the secret says it",
    arguments: [
      (basic("alice", "s3cret"), "user \"alice\", password"),
      (basic("ghp_s3cret", ""), "password"),
      (basic("ghp_s3cret", "x-oauth-basic"), "password"),
      (basic(String(repeating: "s3cret", count: 11), "x"), "password"),
      (.identityToken(user: nil, Secret("s3cret")), "identity token"),
      (.identityToken(user: "a", Secret("s3cret")), "user \"a\", identity token"),
      (.registryToken(Secret("s3cret")), "registry token"),
      (.registryToken(Secret("a.\(claims(1_000_060)).c")), "registry token, valid for 60 s"),
      (.registryToken(Secret("a.\(claims(1_086_400)).c")), "registry token, valid for 24 h"),
      (.registryToken(Secret("a.\(claims(996_400)).c")), "registry token, expired 60 min ago"),
      (
        basic("AWS", base64(#"{"payload":"s3cret","version":"2","expiration":740800}"#)),
        "user \"AWS\", password, expired 3 d ago"
      ),
      (basic("u", base64(#"{"expiration":-1}"#)), "user \"u\", password"),
      (basic("u", base64(#"{"expiration":99999999999999}"#)), "user \"u\", password"),
      (basic("u", "a.b.c"), "user \"u\", password"),
      (basic("u", "..."), "user \"u\", password"),
    ] as [(Credential, String)])
  func summary(_ credential: Credential, _ expected: String) {
    #expect(CredentialSummary(credential).description(now: 1_000_000) == expected)
  }

  @Test("a secret prints as nothing that it holds")
  func secret() {
    let credential = basic("alice", "s3cret")
    #expect(!"\(credential)\(String(reflecting: credential))".contains("s3cret"))
    var dumped = ""
    dump(FoundCredential(credential, source: "here"), to: &dumped)
    #expect(!dumped.contains("s3cret"))
  }

  /// As a JSON web token has them: base64url without padding.
  private static func claims(_ expiry: Int) -> String {
    base64(#"{"exp":\#(expiry),"sub":"ÿ~?>"}"#).replacing("+", with: "-").replacing("/", with: "_")
      .replacing("=", with: "")
  }
}
