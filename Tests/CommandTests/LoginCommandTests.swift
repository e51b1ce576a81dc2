import Foundation
import Server
import SystemPackage
import TestSupport
import Testing

@Suite("login") struct LoginCommandTests {
  private let user: CredentialWorkshop
  private static let password = CredentialWorkshop.password

  init() throws { user = try CredentialWorkshop() }

  /// Runs `body` with a registry that knows alice.
  private func atRegistry(_ body: (FaultyRegistry) throws -> Void) async throws {
    try await FaultyRegistry.serve(wrapping: demandBasic(user: "alice", password: Self.password)) {
      try body($0)
    }
  }

  @Test(
    "the password comes from stdin, without one line break at its end; the file is printed",
    arguments: ["", "\n", "\r\n"])
  func stored(_ end: String) async throws {
    try await atRegistry { registry in
      try user.expect(
        ["login", registry.host, "--username", "alice", "--password-stdin"],
        input: Self.password + end, stdout: "\(user.path)/home/.docker/config.json\n")
      #expect(
        try user.workshop.read("home/.docker/config.json") == """
          {
            "auths": {
              "\(registry.host)": {
                "auth": "\(CredentialWorkshop.base64("alice:\(Self.password)"))"
              }
            }
          }

          """)
      #expect(registry.lines == ["GET /v2/", "GET /v2/"])
      #expect(registry.requests[0]["authorization"] == nil)
    }
  }

  @Test("a name or password that the registry refuses exits 77, and nothing is stored")
  func refused() async throws {
    try await atRegistry { registry in
      for (name, password) in [("alice", "wrong"), ("bob", Self.password)] {
        let finished = try user.run(
          ["login", registry.host, "--username", name, "--password-stdin"], input: password)
        #expect(finished.status == 77)
        #expect(finished.output == "")
        #expect(
          finished.stderr.hasPrefix(
            "error: logging in to \(registry.host): GET http://\(registry.host)/v2/: status 401: UNAUTHORIZED"
          ), "\(finished.stderr)")
        #expect(!finished.stderr.contains(password))
      }
    }
    #expect(user.workshop.names(in: "home") == [])
  }

  @Test("a place without a registry takes nothing, and nothing is stored")
  func noRegistry() async throws {
    try await FaultyRegistry.serve(fault: { _ in .status(404) }) { registry in
      try user.expect(
        ["login", registry.host, "--username", "alice", "--password-stdin"], input: Self.password,
        status: 76,
        stderr:
          "error: logging in to \(registry.host): GET http://\(registry.host)/v2/: no registry answers there\n"
      )
    }
    #expect(user.workshop.names(in: "home") == [])
  }

  @Test("a registry with a token service gives a token for the password, or not")
  func tokens() async throws {
    let service = ScriptedTokenService(credential: "alice:\(Self.password)")
    try await FaultyRegistry.serve(wrapping: service.wrap) { registry in
      let login = ["login", registry.host, "--username", "alice", "--password-stdin"]
      #expect(try user.run(login, input: "wrong").status == 77)
      #expect(user.workshop.names(in: "home") == [])
      try user.expect(
        login, input: Self.password, stdout: "\(user.path)/home/.docker/config.json\n")
      #expect(service.grantedScopes.count == 1)
    }
  }

  @Test(
    "what podman and skopeo are to read is what they read, under Docker Hub's key, too",
    .enabled(if: peers("skopeo", "podman", "nginx", "openssl")))
  func readByOthers() async throws {
    let demand = demandBasic(user: "alice", password: Self.password)
    try await atRegistry { registry in
      try user.expect(
        [
          "login", registry.host, "--username", "alice", "--password-stdin", "--authfile",
          "auth.json",
        ], input: Self.password, stdout: "auth.json\n")
      for program in ["skopeo", "podman"] { try expectKnown(to: program, registry.host) }
    }
    try await NamedRegistry.run("registry-1.docker.io", wrapping: demand) { hub in
      try user.expect(
        [
          "login", "docker.io", "--username", "alice", "--password-stdin", "--authfile",
          "auth.json",
        ], input: Self.password, environment: hub.environment, stdout: "auth.json\n")
      #expect(try user.workshop.read("auth.json").contains("https://index.docker.io/v1/"))
      for program in ["skopeo", "podman"] { try expectKnown(to: program, "docker.io") }
    }
  }

  private func expectKnown(to program: String, _ registry: String) throws {
    let finished = try TestSupport.run(
      program, ["login", "--get-login", "--authfile", "auth.json", registry],
      environment: user.environment, in: user.workshop.path)
    #expect(finished.output == "alice\n", "\(program) \(registry): \(finished.stderr)")
  }

  @Test("a helper that the file names keeps it; the file only says so")
  func helper() async throws {
    try user.helper(
      "x",
      #"""
      case $1 in
      store) cat > kept ;;
      get) cat kept ;;
      esac
      """#)
    try await atRegistry { registry in
      try user.workshop.folder.write(
        "home/.docker/config.json", #"{"credHelpers":{"\#(registry.host)":"x"}}"#, mode: 0o600)
      try user.expect(
        ["login", registry.host, "--username", "alice", "--password-stdin"], input: Self.password,
        stdout: "docker-credential-x\n")
    }
    #expect(try user.workshop.read("kept").contains(Self.password))
    #expect(!(try user.workshop.read("home/.docker/config.json").contains("auth\"")))
  }

  @Test("a helper that fails is an error without the password")
  func failingHelper() async throws {
    try user.helper("x", "cat; echo; exit 1")
    try user.workshop.folder.write("c.json", #"{"credsStore":"x"}"#, mode: 0o600)
    try await atRegistry { registry in
      let login = [
        "login", registry.host, "--username", "alice", "--password-stdin", "--authfile", "c.json",
      ]
      try user.expect(
        login, input: Self.password, status: 77,
        stderr:
          "error: docker-credential-x store for \"\(registry.host)\": it ended with status 1 and said nothing\n"
      )
      try user.helper("x", "read -r all; echo \"rejected: $all\" >&2; exit 1")
      let finished = try user.run(login + ["-v"], input: Self.password)
      #expect(finished.status == 77)
      #expect(
        finished.stderr.contains("error: docker-credential-x store for \"\(registry.host)\": "))
      #expect(!finished.stderr.contains(Self.password))
      #expect(!finished.stderr.contains(CredentialWorkshop.base64("alice:\(Self.password)")))
    }
  }

  @Test("where an earlier source hides what was stored, a warning says which")
  func hidden() async throws {
    try await atRegistry { registry in
      let host = registry.host
      let earlier =
        #"{"auths":{"\#(host)":{"auth":"\#(CredentialWorkshop.base64("old:\(Self.password)"))"}}}"#
      try user.expect(
        ["login", host, "--username", "alice", "--password-stdin"], input: Self.password,
        environment: ["DOCKER_AUTH_CONFIG": earlier],
        stdout: "\(user.path)/home/.docker/config.json\n",
        stderr:
          "warning: the stored credential is not used: an earlier source wins, \"\(host)\" of \"DOCKER_AUTH_CONFIG\"; see `ociforge auth \(host)`\n"
      )
    }
  }

  @Test("what is no account exits 64 and stores nothing")
  func usage() throws {
    let password = Self.password
    for (arguments, input, error) in [
      (
        ["ghcr.io", "--username", "a"], password,
        "no password: stdin is no terminal to ask at; give it there with --password-stdin"
      ),
      (
        ["ghcr.io", "--username", "a", "--password-stdin"], "\n",
        "expected a password, got an empty one"
      ),
      (
        ["ghcr.io", "--username", "a", "--password-stdin"], "\(password)\nx",
        "expected a password of one line of UTF-8 with at most 65,536 bytes"
      ),
      (
        ["ghcr.io", "--username", "a", "--password-stdin"],
        String(repeating: password, count: 5000),
        "expected a password of one line of UTF-8 with at most 65,536 bytes"
      ),
      (
        ["ghcr.io", "--username", "a:b", "--password-stdin"], password,
        "expected a user's name without colons and control characters in --username"
      ),
      (
        ["ghcr.io/team", "--username", "a", "--password-stdin"], password,
        "image reference \"ghcr.io/team\": expected a host name of letters, digits, dots and inner hyphens before the first slash"
      ),
      (
        ["https://ghcr.io", "--username", "a", "--password-stdin"], password,
        "an image reference that starts with \"https://\": a reference has no scheme; write what follows it"
      ),
    ] {
      try user.expect(["login"] + arguments, input: input, status: 64, stderr: "error: \(error)\n")
    }
    #expect(user.workshop.names(in: "home") == [])
  }

  @Test("a file that cannot be changed is an error that names it, and stays")
  func unwritable() async throws {
    try user.workshop.folder.write("bad.json", "[\(Self.password)")
    try await atRegistry { registry in
      let login = ["login", registry.host, "--username", "alice", "--password-stdin", "--authfile"]
      try user.expect(
        login + ["bad.json"], input: Self.password, status: 65,
        stderr:
          "error: credentials in \"bad.json\": not valid JSON: unexpected character at byte 1\n")
      try user.expect(
        login + ["bad.json/x"], input: Self.password, status: 73,
        stderr: "error: creating directory \"bad.json\": Not a directory\n")
    }
    #expect(try user.workshop.read("bad.json") == "[\(Self.password)")
  }

  @Test("at a terminal the password is asked for and not shown", .enabled(if: peers("script")))
  func terminal() async throws {
    try await atRegistry { registry in
      let command = "\(try builtBinary()) login \(registry.host) --username alice"
      // Types when it is asked.
      let finished = try TestSupport.run(
        "sh",
        [
          "-c",
          """
          touch seen
          (until grep -q 'password of' seen; do sleep 0.05; done; echo '\(Self.password)'; sleep 1) |
            script -qefc '\(command)' seen
          """,
        ], environment: user.environment, in: user.workshop.path)
      #expect(finished.status == 0)
      #expect(finished.output.contains("password of \"alice\" at \(registry.host): "))
      #expect(finished.output.hasSuffix("\(user.path)/home/.docker/config.json\r\n"))
      #expect(!finished.output.contains(Self.password))
    }
    let stored = try user.workshop.read("home/.docker/config.json")
    #expect(stored.contains(CredentialWorkshop.base64("alice:\(Self.password)")))
  }
}
