import Credentials
import Foundation
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("CredentialFile") struct CredentialFileTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let file: String
    let repository: String
    let expected: Credential?
    var testDescription: String { name }

    init(_ name: String, _ file: String, _ repository: String, _ expected: Credential?) {
      (self.name, self.file, self.repository, self.expected) = (name, file, repository, expected)
    }
  }

  static let alice = base64("alice:s3cret")

  static let cases = [
    Case("nothing in it", "", "ghcr.io/a", nil),
    Case("no entries", "{}", "ghcr.io/a", nil),
    Case("null in place of entries", #"{"auths":null,"credHelpers":null}"#, "ghcr.io/a", nil),
    Case(
      "a user and a password", #"{"auths":{"ghcr.io":{"auth":"\#(alice)"}}}"#, "ghcr.io/a",
      basic("alice", "s3cret")),
    Case(
      "base64 without its padding", #"{"auths":{"ghcr.io":{"auth":"YTpi"}}}"#, "ghcr.io/a",
      basic("a", "b")),
    Case(
      "base64 that lacks padding it should have", #"{"auths":{"ghcr.io":{"auth":"YTpiYw"}}}"#,
      "ghcr.io/a", basic("a", "bc")),
    Case(
      "zero bytes after the password, as docker pads",
      #"{"auths":{"ghcr.io":{"auth":"\#(base64("alice:s3cret\0\0"))"}}}"#, "ghcr.io/a",
      basic("alice", "s3cret")),
    Case(
      "colons in the password", #"{"auths":{"ghcr.io":{"auth":"\#(base64("a:b:c:"))"}}}"#,
      "ghcr.io/a", basic("a", "b:c:")),
    Case(
      "a password that begins with a combining letter",
      #"{"auths":{"ghcr.io":{"auth":"\#(base64("a:\u{301}b"))"}}}"#, "ghcr.io/a",
      basic("a", "\u{301}b")),
    Case(
      "user and password as they are",
      #"{"auths":{"ghcr.io":{"username":"alice","password":"s3cret"}}}"#, "ghcr.io/a",
      basic("alice", "s3cret")),
    Case(
      "an identity token comes before the password",
      #"{"auths":{"ghcr.io":{"auth":"\#(alice)","identitytoken":"idt"}}}"#, "ghcr.io/a",
      .identityToken(user: "alice", Secret("idt"))),
    Case(
      "an identity token without a user, as docker writes it",
      #"{"auths":{"ghcr.io":{"auth":"\#(base64(":"))","identitytoken":"idt"}}}"#, "ghcr.io/a",
      .identityToken(user: nil, Secret("idt"))),
    Case(
      "a registry token comes before all",
      #"{"auths":{"ghcr.io":{"auth":"\#(alice)","identitytoken":"idt","registrytoken":"rt"}}}"#,
      "ghcr.io/a", .registryToken(Secret("rt"))),
    Case(
      "a key of Google's, which is a JSON document of several lines",
      #"{"auths":{"gcr.io":{"auth":"\#(base64("_json_key:{\n \"type\": 1\n}\n"))"}}}"#,
      "gcr.io/p/a",
      basic("_json_key", "{\n \"type\": 1\n}\n")),
    Case("an empty entry is none", #"{"auths":{"ghcr.io":{}}}"#, "ghcr.io/a", nil),
    Case(
      "an entry with an address alone is none", #"{"auths":{"ghcr.io":{"email":"a@b"}}}"#,
      "ghcr.io/a", nil),
    Case(
      "another registry", #"{"auths":{"ghcr.io":{"auth":"\#(alice)"}}}"#, "quay.io/a", nil),
    Case(
      "a registry whose name ends alike", #"{"auths":{"ghcr.io":{"auth":"\#(alice)"}}}"#,
      "my.ghcr.io/a", nil),
    Case(
      "A15: an entry with a port is not for the host without",
      #"{"auths":{"reg:5000":{"auth":"\#(alice)"}}}"#, "reg/a", nil),
    Case(
      "an entry without a port is not for the host with one",
      #"{"auths":{"reg":{"auth":"\#(alice)"}}}"#, "reg:5000/a", nil),
    Case(
      "port 443 is the same as none", #"{"auths":{"reg":{"auth":"\#(alice)"}}}"#, "reg:443/a",
      basic("alice", "s3cret")),
    Case(
      "none is the same as port 443", #"{"auths":{"reg:443":{"auth":"\#(alice)"}}}"#, "reg/a",
      basic("alice", "s3cret")),
    Case(
      "upper case in the key", #"{"auths":{"GHCR.io":{"auth":"\#(alice)"}}}"#, "ghcr.io/a",
      basic("alice", "s3cret")),
    Case(
      "a key that is a URL", #"{"auths":{"https://ghcr.io/v2/":{"auth":"\#(alice)"}}}"#,
      "ghcr.io/a", basic("alice", "s3cret")),
    Case(
      "a URL with a port", #"{"auths":{"http://reg:5000":{"auth":"\#(alice)"}}}"#, "reg:5000/a",
      basic("alice", "s3cret")),
    Case(
      "a key with the path of the protocol", #"{"auths":{"ghcr.io/v1/":{"auth":"\#(alice)"}}}"#,
      "ghcr.io/a", basic("alice", "s3cret")),
    Case(
      "the exact key comes before the URL",
      #"{"auths":{"https://ghcr.io":{"auth":"\#(base64("old:x"))"},"ghcr.io":{"auth":"\#(alice)"}}}"#,
      "ghcr.io/a", basic("alice", "s3cret")),
    Case(
      "Docker Hub by docker's key",
      #"{"auths":{"https://index.docker.io/v1/":{"auth":"\#(alice)"}}}"#,
      "docker.io/library/alpine", basic("alice", "s3cret")),
    Case(
      "Docker Hub by podman's key", #"{"auths":{"docker.io":{"auth":"\#(alice)"}}}"#,
      "docker.io/library/alpine", basic("alice", "s3cret")),
    Case(
      "Docker Hub by the host of its API",
      #"{"auths":{"registry-1.docker.io":{"auth":"\#(alice)"}}}"#, "docker.io/library/alpine",
      basic("alice", "s3cret")),
    Case(
      "the longest namespace wins",
      #"{"auths":{"q.io":{"auth":"\#(alice)"},"q.io/t":{"auth":"\#(base64("t:1"))"},"q.io/t/a":{"auth":"\#(base64("ta:2"))"}}}"#,
      "q.io/t/a/x", basic("ta", "2")),
    Case(
      "a shorter namespace for its other repositories",
      #"{"auths":{"q.io":{"auth":"\#(alice)"},"q.io/t":{"auth":"\#(base64("t:1"))"},"q.io/t/a":{"auth":"\#(base64("ta:2"))"}}}"#,
      "q.io/t/b", basic("t", "1")),
    Case(
      "the registry's own for all others",
      #"{"auths":{"q.io":{"auth":"\#(alice)"},"q.io/t":{"auth":"\#(base64("t:1"))"}}}"#,
      "q.io/team", basic("alice", "s3cret")),
    Case(
      "a namespace is for nobody else", #"{"auths":{"q.io/t":{"auth":"\#(alice)"}}}"#, "q.io/u",
      nil),
    Case(
      "A18: headers for docker's daemon are no credential",
      #"{"HttpHeaders":{"Authorization":"Bearer stolen"},"proxies":{"default":{}},"auths":{}}"#,
      "ghcr.io/a", nil),
  ]

  @Test("A17: a file gives a repository its credential", arguments: cases)
  func finds(_ test: Case) async throws {
    let account = try Account()
    let file = try account.write("auth.json", test.file)
    let found = try await account.find(repository(test.repository), authFile: file)
    #expect(found?.credential == test.expected)
  }

  @Test("the older .dockercfg has its entries at the top")
  func legacy() async throws {
    let account = try Account()
    try account.write("home/.dockercfg", #"{"ghcr.io":{"auth":"\#(Self.alice)","email":"a@b"}}"#)
    let found = try await account.find(repository("ghcr.io/a"))
    #expect(found?.credential == basic("alice", "s3cret"))
    #expect(found?.source == "\"ghcr.io\" of \"\(account.path)/home/.dockercfg\"")
  }

  @Test(
    "A17: what is wrong is named with its file and key, and never its value",
    arguments: [
      ("no JSON", #"{"auths":}"#, "not valid JSON: unexpected character at byte 9"),
      (
        "a key twice", #"{"auths":{},"auths":{}}"#,
        "not valid JSON: duplicate key \"auths\" at byte 19"
      ),
      ("no object", "[]", "expected an object, found an array"),
      (
        "entries that are none", #"{"auths":"s3cret"}"#,
        "expected an object under \"auths\", found a string"
      ),
      (
        "an entry that is none", #"{"auths":{"quay.io":"s3cret"}}"#,
        "expected an object under \"auths\", \"quay.io\", found a string"
      ),
      (
        "a number for a password", #"{"auths":{"quay.io":{"password":123456}}}"#,
        "expected a string under \"auths\", \"quay.io\", \"password\", found a number"
      ),
      (
        "a helper that is no name", #"{"credHelpers":{"quay.io":1}}"#,
        "expected a string under \"credHelpers\", \"quay.io\", found a number"
      ),
      (
        "a store that is no name", #"{"credsStore":["s3cret"]}"#,
        "expected a string under \"credsStore\", found an array"
      ),
      (
        "no base64", #"{"auths":{"ghcr.io":{"auth":"alice:s3cret"}}}"#,
        "under \"ghcr.io\": expected \"auth\" to be base64 of USER:PASSWORD, found what is no base64; mend it, or take it out and log in again"
      ),
      (
        "no text", #"{"auths":{"ghcr.io":{"auth":"/w=="}}}"#,
        "under \"ghcr.io\": expected \"auth\" to be base64 of USER:PASSWORD, found bytes that are no UTF-8; mend it, or take it out and log in again"
      ),
      (
        "no colon", #"{"auths":{"ghcr.io":{"auth":"\#(base64("s3cret"))"}}}"#,
        "under \"ghcr.io\": expected \"auth\" to be base64 of USER:PASSWORD, found no colon in it; mend it, or take it out and log in again"
      ),
      (
        "no user", #"{"auths":{"ghcr.io":{"auth":"\#(base64(":s3cret"))"}}}"#,
        "under \"ghcr.io\": expected a user's name with the password, found none; mend it, or take it out and log in again"
      ),
      (
        "a line break from echo", #"{"auths":{"ghcr.io":{"auth":"\#(base64("alice:s3cret\n"))"}}}"#,
        "under \"ghcr.io\": the password in \"auth\" ends with a line break, as `echo` adds one (`printf %s` does not); mend it, or take it out and log in again"
      ),
      (
        "a line break in a token", #"{"auths":{"ghcr.io":{"identitytoken":"s3cret\r\nX: y"}}}"#,
        "under \"ghcr.io\": the token has a line break or NUL in it; mend it, or take it out and log in again"
      ),
      (
        "NUL in a user's name",
        #"{"auths":{"ghcr.io":{"username":"a\u0000","password":"s3cret"}}}"#,
        "under \"ghcr.io\": the user's name has a line break or NUL in it; mend it, or take it out and log in again"
      ),
    ] as [(String, String, String)])
  func complains(_ name: String, _ text: String, _ complaint: String) async throws {
    let account = try Account()
    let file = try account.write("auth.json", text)
    let error = await #expect(throws: CredentialError.self) {
      try await account.find(repository("ghcr.io/a"), authFile: file)
    }
    #expect(error?.description == "credentials in \"\(file)\": \(complaint)")
    #expect(error?.kind == .data)
    #expect(!"\(String(reflecting: error))".contains("s3cret"))
  }

  @Test("what is wrong with another registry's secret is no reason to fail")
  func otherEntry() async throws {
    let account = try Account()
    let file = try account.write(
      "auth.json", #"{"auths":{"quay.io":{"auth":"!"},"ghcr.io":{"auth":"\#(Self.alice)"}}}"#)
    #expect(
      try await account.find(repository("ghcr.io/a"), authFile: file)?.credential
        == basic("alice", "s3cret"))
  }

  @Test("a file beyond 8 MiB is refused")
  func tooLong() async throws {
    let account = try Account()
    let file = try account.write("auth.json", String(repeating: " ", count: 8 << 20 + 1))
    let error = await #expect(throws: ContextualFailure.self) {
      try await account.find(repository("ghcr.io/a"), authFile: file)
    }
    #expect(error?.kind == .data)
    #expect(error?.description.hasSuffix("File too large") == true)
  }

  @Test("a file that everyone can read, with a secret in it, is a warning, once")
  func worldReadable() async throws {
    let account = try Account()
    let file = try account.write(
      "auth.json", #"{"auths":{"ghcr.io":{"auth":"\#(Self.alice)"}}}"#, mode: 0o644)
    let chain = account.chain(authFile: file)
    for name in ["ghcr.io/a", "ghcr.io/b"] {
      _ = try await chain.provider.find(repository(name), nil)
    }
    #expect(
      account.told.filter { $0.hasPrefix("warning") } == [
        "warning: credentials in \"\(file)\" can be read by everyone; chmod 600 it"
      ])
    let harmless = try Account()
    let helpers = try harmless.write("auth.json", #"{"credHelpers":{"x.io":"x"}}"#, mode: 0o644)
    _ = try await harmless.find(repository("ghcr.io/a"), authFile: helpers)
    #expect(harmless.told.filter { $0.hasPrefix("warning") }.isEmpty)
  }
}

func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
