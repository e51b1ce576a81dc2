import Credentials
import Foundation
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

/// Fault A16: what helper programs do, as shell scripts in a PATH of their own.
@Suite("CredentialHelper") struct CredentialHelperTests {
  private let account: Account

  init() throws {
    account = try Account()
    try account.write("home/.docker/config.json", #"{"credsStore":"x"}"#)
  }

  private func find(_ name: String = "ghcr.io/a") async throws -> FoundCredential? {
    try await account.find(repository(name))
  }

  private static func answer(_ user: String, _ secret: String) -> String {
    #"echo '{"ServerURL":"s","Username":"\#(user)","Secret":"\#(secret)"}'"#
  }

  @Test("a helper is asked for the server on stdin and gives its user and password")
  func basicCredential() async throws {
    try account.helper(
      "x",
      #"""
      [ "$#:$1" = 1:get ] || exit 9
      read -r server
      printf '{"ServerURL":"%s","Username":"user of %s","Secret":"s3cret"}' "$server" "$server"
      """#)
    #expect(try await find()?.credential == basic("user of ghcr.io", "s3cret"))
    #expect(try await find("reg:5000/a")?.credential == basic("user of reg:5000", "s3cret"))
    #expect(
      try await find("docker.io/library/a")?.credential
        == basic("user of https://index.docker.io/v1/", "s3cret"))
    #expect(try await find("reg:443/a")?.credential == basic("user of reg", "s3cret"))
    #expect(
      try await find()?.source
        == "docker-credential-x, named by \"\(account.path)/home/.docker/config.json\"")
  }

  @Test("A16: the user <token> says that the secret is an identity token")
  func identityToken() async throws {
    try account.helper("x", Self.answer("<token>", "refresh"))
    #expect(try await find()?.credential == .identityToken(user: nil, Secret("refresh")))
  }

  @Test(
    "A16: a helper that has nothing leaves the registry anonymous",
    arguments: [
      "echo credentials not found in native keychain; exit 1",
      "echo ' credentials not found in native keychain '; exit 2",
      "echo no credentials server URL; exit 1", "echo no credentials username; exit 1",
      answer("", ""), "echo '{}'",
    ])
  func nothing(_ script: String) async throws {
    try account.helper("x", script)
    #expect(try await find() == nil)
  }

  @Test("A16: where a helper has nothing, the file's own entry and later files are asked")
  func nextSource() async throws {
    try account.helper("x", "echo credentials not found in native keychain; exit 1")
    try account.write(
      "home/.docker/config.json",
      #"{"credsStore":"x","auths":{"ghcr.io":{"auth":"\#(base64("a:b"))"}}}"#)
    try account.write("home/.dockercfg", #"{"quay.io":{"auth":"\#(base64("c:d"))"}}"#)
    #expect(try await find()?.credential == basic("a", "b"))
    #expect(try await find("quay.io/a")?.credential == basic("c", "d"))
  }

  @Test(
    "A16: a helper that is broken is an error that names it",
    arguments: [
      (
        "another error, on stdout", "echo 'keychain is locked'; exit 1", FailureKind.denied,
        "it ended with status 1: keychain is locked"
      ),
      (
        "another error, on stderr", "echo 'no such vault' >&2; exit 3", .denied,
        "it ended with status 3: no such vault"
      ),
      ("no word", "exit 4", .denied, "it ended with status 4 and said nothing"),
      (
        "a secret among its words",
        #"echo 'bad token: s3cret at https://u:s3cret@v.io/x?sig=s3cret password=s3cret ghp_s3cretS3CRET0123456789'; exit 1"#,
        .denied, "it ended with status 1: bad token: … at https://v.io/x?… password=… …"
      ),
      (
        "an answer and a status", answer("a", "s3cret") + "; exit 1", .denied,
        "it ended with status 1 and said nothing"
      ),
      (
        "a message that drives the terminal", #"printf 'a\033[2Jb'; exit 1"#, .denied,
        #"it ended with status 1: a\u{1b}[2Jb"#
      ),
      (
        "no JSON", "echo alice:s3cret", .protocolBroken,
        "expected a JSON object with \"Username\" and \"Secret\" on stdout, found what is no JSON"
      ),
      (
        "no object", #"echo '["s3cret"]'"#, .protocolBroken,
        "expected a JSON object with \"Username\" and \"Secret\" on stdout, found an array"
      ),
      (
        "a number for a secret", #"echo '{"Username":"a","Secret":5}'"#, .protocolBroken,
        "expected a JSON object with \"Username\" and \"Secret\" on stdout, found a number as \"Secret\""
      ),
      (
        "a secret without a user", answer("", "s3cret"), .protocolBroken,
        "expected a JSON object with \"Username\" and \"Secret\" on stdout, found no user's name with the secret"
      ),
      (
        "a header in the secret", #"printf %s '{"Username":"a","Secret":"s3cret\r\nX: y"}'"#,
        .protocolBroken,
        "expected a JSON object with \"Username\" and \"Secret\" on stdout, found a line break or NUL in \"Secret\""
      ),
      (
        "more than 1 MiB", "head -c 1048577 /dev/zero", .protocolBroken,
        "expected at most 1.0 MB on stdout, found more"
      ),
      (
        "output without an end", "exec cat /dev/zero", .protocolBroken,
        "expected at most 1.0 MB on stdout, found more"
      ),
      ("a crash", "kill -SEGV $$", .unavailable, "it was ended by signal 11"),
    ] as [(String, String, FailureKind, String)])
  func broken(_ name: String, _ script: String, _ kind: FailureKind, _ problem: String) async throws
  {
    try account.helper("x", script)
    let error = await #expect(throws: CredentialError.self) { try await find() }
    #expect(error?.description == "docker-credential-x get for \"ghcr.io\": \(problem)")
    #expect(error?.kind == kind)
    #expect(!String(reflecting: error).contains("s3cret"))
  }

  @Test("A16: a helper that hangs is ended with all that it started")
  func hangs() async throws {
    try account.helper(
      "x", "trap '' TERM; sleep 300 & echo $! > \(account.path)/pid; wait; sleep 300")
    let chain = account.chain(
      limits: HelperLimits(timeout: .seconds(1), grace: .milliseconds(200)))
    let clock = ContinuousClock()
    let start = clock.now
    let error = await #expect(throws: CredentialError.self) {
      try await chain.provider.find(repository("ghcr.io/a"), nil)
    }
    #expect(clock.now - start < .seconds(15))
    #expect(
      error?.description
        == "docker-credential-x get for \"ghcr.io\": no answer after 1 s, so it was ended; it may wait for somebody to type"
    )
    #expect(error?.kind == .unavailable)
    let text = try String(contentsOfFile: "\(account.path)/pid", encoding: .utf8)
    let child = try #require(Int(text.trimmingCharacters(in: .newlines)))
    // Gone, or dead and not yet collected by process 1.
    func isAlive() -> Bool {
      let state = try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)
      return state?.contains(") Z ") == false
    }
    for _ in 0..<250 where isAlive() { try await Task.sleep(for: .milliseconds(20)) }
    #expect(!isAlive())
  }

  @Test("A16: a helper that is not installed is an error that names it and its file")
  func missing() async throws {
    let error = await #expect(throws: CredentialError.self) { try await find() }
    #expect(
      error?.description
        == "credentials in \"\(account.path)/home/.docker/config.json\": \"credsStore\" names the helper \"docker-credential-x\", which is not in PATH; install it, or take it out of the file"
    )
    #expect(error?.kind == .notFound)
  }

  @Test(
    "A16: a name that leads elsewhere is refused",
    arguments: ["../x", "x/../../x", "-x", "a b", "ü"])
  func malformedName(_ name: String) async throws {
    try account.write("bin/x", "#!/bin/sh\ntouch \(account.path)/ran\n", mode: 0o755)
    try account.write("home/.docker/config.json", #"{"credHelpers":{"ghcr.io":"\#(name)"}}"#)
    let error = await #expect(throws: CredentialError.self) { try await find() }
    #expect(
      error?.description
        == "credentials in \"\(account.path)/home/.docker/config.json\": \"credHelpers\" names the helper \(name.quoted): expected letters, digits, \".\", \"_\" and \"-\", a letter or digit first"
    )
    #expect(!FileManager.default.fileExists(atPath: "\(account.path)/ran"))
  }

  @Test("a helper of the working directory is not run")
  func relativePath() async throws {
    try account.helper("x", Self.answer("a", "b"))
    account["PATH"] = ":.:bin:"
    await #expect(throws: CredentialError.self) { try await find() }
  }

  @Test("the registry's own helper comes first, then its namespaces, then the helper of all")
  func order() async throws {
    try account.helper("own", Self.answer("own", "1"))
    try account.helper("x", Self.answer("all", "2"))
    try account.write(
      "home/.docker/config.json",
      """
      {"credsStore":"x","credHelpers":{"own.io":"own","bypass.io":""},"auths":{
        "own.io/t":{"auth":"\(base64("n:3"))"},"q.io/t":{"auth":"\(base64("n:3"))"},
        "q.io":{"auth":"\(base64("q:4"))"},"bypass.io":{"auth":"\(base64("b:5"))"},"ghcr.io":{}}}
      """)
    for (name, expected) in [
      ("own.io/t/a", basic("own", "1")), ("q.io/t/a", basic("n", "3")),
      ("q.io/u", basic("all", "2")), ("bypass.io/a", basic("b", "5")),
      ("ghcr.io/a", basic("all", "2")),
    ] {
      #expect(try await find(name)?.credential == expected, "\(name)")
    }
  }

  @Test("however many ask at once, one helper is asked once for one server")
  func once() async throws {
    try account.helper(
      "x",
      #"read -r s; echo "$s" >> \#(account.path)/calls; sleep 0.2; \#(Self.answer("a", "b"))"#)
    let chain = account.chain()
    try await withThrowingTaskGroup { group in
      for index in 0..<12 {
        group.addTask {
          let name = index < 6 ? "ghcr.io/\(index)" : "quay.io/\(index)"
          return try await chain.provider.find(repository(name), nil)
        }
      }
      for try await found in group { #expect(found?.credential == basic("a", "b")) }
    }
    let calls = try String(contentsOfFile: "\(account.path)/calls", encoding: .utf8)
    #expect(calls.split(separator: "\n").sorted() == ["ghcr.io", "quay.io"])
  }
}
