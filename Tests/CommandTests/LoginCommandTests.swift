import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("login") struct LoginCommandTests {
  private let user: CredentialWorkshop
  private static let password = CredentialWorkshop.password

  init() throws { user = try CredentialWorkshop() }

  @Test(
    "the password comes from stdin, without one line break at its end; the file is printed",
    arguments: ["", "\n", "\r\n"])
  func stored(_ end: String) throws {
    try user.expect(
      ["login", "ghcr.io", "--username", "alice", "--password-stdin"],
      input: Self.password + end, stdout: "\(user.path)/home/.docker/config.json\n")
    #expect(
      try user.workshop.read("home/.docker/config.json") == """
        {
          "auths": {
            "ghcr.io": {
              "auth": "\(CredentialWorkshop.base64("alice:\(Self.password)"))"
            }
          }
        }

        """)
    try user.expect(
      [
        "login", "docker.io", "--username", "bob", "--password-stdin", "--authfile", "own.json",
        "-v",
      ],
      input: Self.password, stdout: "own.json\n")
    #expect(try user.workshop.read("own.json").contains("https://index.docker.io/v1/"))
  }

  @Test(
    "what podman and skopeo are to read is what they read", .enabled(if: peers("skopeo", "podman")))
  func readByOthers() throws {
    try user.logIn("reg.example:5000", ["--authfile", "auth.json"])
    try user.logIn("docker.io", ["--authfile", "auth.json"])
    for (registry, program) in [
      ("reg.example:5000", "skopeo"), ("docker.io", "skopeo"), ("reg.example:5000", "podman"),
      ("docker.io", "podman"),
    ] {
      let finished = try TestSupport.run(
        program, ["login", "--get-login", "--authfile", "auth.json", registry],
        environment: user.environment, in: user.workshop.path)
      #expect(finished.output == "alice\n", "\(program) \(registry): \(finished.stderr)")
    }
  }

  @Test("a helper that the file names keeps it; the file only says so")
  func helper() throws {
    try user.helper(
      "x",
      #"""
      case $1 in
      store) cat > kept ;;
      get) cat kept ;;
      esac
      """#)
    try user.workshop.folder.write(
      "home/.docker/config.json", #"{"credHelpers":{"ghcr.io":"x"}}"#, mode: 0o600)
    try user.expect(
      ["login", "ghcr.io", "--username", "alice", "--password-stdin"], input: Self.password,
      stdout: "docker-credential-x\n")
    #expect(try user.workshop.read("kept").contains(Self.password))
    #expect(!(try user.workshop.read("home/.docker/config.json").contains("auth\"")))
  }

  @Test("a helper that fails is an error without the password")
  func failingHelper() throws {
    try user.helper("x", "cat; echo; exit 1")
    try user.workshop.folder.write("c.json", #"{"credsStore":"x"}"#, mode: 0o600)
    try user.expect(
      ["login", "ghcr.io", "--username", "a", "--password-stdin", "--authfile", "c.json", "-v"],
      input: Self.password, status: 77,
      stderr:
        "error: docker-credential-x store for \"ghcr.io\": it ended with status 1 and said nothing\n"
    )
    try user.helper("x", "read -r all; echo \"rejected: $all\" >&2; exit 1")
    let finished = try user.run(
      ["login", "ghcr.io", "--username", "a", "--password-stdin", "--authfile", "c.json", "-v"],
      input: Self.password)
    #expect(finished.status == 77)
    #expect(finished.stderr.hasPrefix("error: docker-credential-x store for \"ghcr.io\": "))
    #expect(!finished.stderr.contains(Self.password))
  }

  @Test("where an earlier source hides what was stored, a warning says which")
  func hidden() throws {
    let earlier =
      #"{"auths":{"ghcr.io":{"auth":"\#(CredentialWorkshop.base64("old:\(Self.password)"))"}}}"#
    try user.expect(
      ["login", "ghcr.io", "--username", "alice", "--password-stdin"], input: Self.password,
      environment: ["DOCKER_AUTH_CONFIG": earlier],
      stdout: "\(user.path)/home/.docker/config.json\n",
      stderr:
        "warning: the stored credential is not used: an earlier source wins, \"ghcr.io\" of \"DOCKER_AUTH_CONFIG\"; see `ociforge auth ghcr.io`\n"
    )
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
  func unwritable() throws {
    try user.workshop.folder.write("bad.json", "[\(Self.password)")
    try user.expect(
      ["login", "ghcr.io", "--username", "a", "--password-stdin", "--authfile", "bad.json"],
      input: Self.password, status: 65,
      stderr: "error: credentials in \"bad.json\": not valid JSON: unexpected character at byte 1\n"
    )
    try user.expect(
      ["login", "ghcr.io", "--username", "a", "--password-stdin", "--authfile", "bad.json/x"],
      input: Self.password, status: 73,
      stderr: "error: creating directory \"bad.json\": Not a directory\n")
    #expect(try user.workshop.read("bad.json") == "[\(Self.password)")
  }

  @Test("at a terminal the password is asked for and not shown", .enabled(if: peers("script")))
  func terminal() throws {
    let command = "\(try builtBinary()) login ghcr.io --username alice"
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
    #expect(finished.output.contains("password of \"alice\" at ghcr.io: "))
    #expect(finished.output.hasSuffix("\(user.path)/home/.docker/config.json\r\n"))
    #expect(!finished.output.contains(Self.password))
    let stored = try user.workshop.read("home/.docker/config.json")
    #expect(stored.contains(CredentialWorkshop.base64("alice:\(Self.password)")))
  }
}
