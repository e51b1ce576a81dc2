import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("auth") struct AuthCommandTests {
  private let user: CredentialWorkshop

  init() throws { user = try CredentialWorkshop() }

  /// Paths differ in each run; what is shown is compared without them.
  private func shown(
    _ arguments: [String], environment: [String: String?] = [:], status: Int32 = 0,
    stderr: String = "", sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let finished = try user.run(["auth"] + arguments, environment: environment)
    #expect(finished.status == status, sourceLocation: sourceLocation)
    #expect(
      finished.stderr.replacing(user.path, with: "~") == stderr, sourceLocation: sourceLocation)
    for text in [finished.output, finished.stderr] {
      #expect(!text.contains(CredentialWorkshop.password), sourceLocation: sourceLocation)
    }
    return finished.output.replacing(user.path, with: "~")
  }

  @Test("the winner is named with its user, file and entry, and what all others said")
  func won() throws {
    try user.store()
    #expect(
      try shown(["ghcr.io/team/app:v1"]) == """
        registry    ghcr.io
        repository  team/app
        credential  user "alice", password
        from        ~/home/.docker/config.json, entry "ghcr.io"

          --authfile          not given
          REGISTRY_AUTH_FILE  not set
          DOCKER_AUTH_CONFIG  not set
          DOCKER_CONFIG       not set
          podman, session     ~/run/containers/auth.json: no such file
          podman, user        ~/home/.config/containers/auth.json: no such file
        * docker              ~/home/.docker/config.json: "ghcr.io": user "alice", password
          docker, legacy      ~/home/.dockercfg: not asked
          Amazon ECR          not asked

        """)
  }

  @Test("where nobody has one, the registry is asked anonymously")
  func anonymous() throws {
    try user.store()
    try user.workshop.folder.write(
      "run/containers/auth.json", #"{"auths":{"quay.io/team":{"auth":"YTpi"}}}"#, mode: 0o600)
    #expect(
      try shown(["quay.io"]) == """
        registry    quay.io
        credential  none, so the registry is asked anonymously

          --authfile          not given
          REGISTRY_AUTH_FILE  not set
          DOCKER_AUTH_CONFIG  not set
          DOCKER_CONFIG       not set
          podman, session     ~/run/containers/auth.json: no entry for quay.io, only for "quay.io/team"
          podman, user        ~/home/.config/containers/auth.json: no such file
          docker              ~/home/.docker/config.json: no entry for quay.io
          docker, legacy      ~/home/.dockercfg: no such file
          Amazon ECR          not a registry of Amazon ECR

        """)
  }

  @Test("a helper is named, and a password that has expired is told of")
  func helper() throws {
    let expired = CredentialWorkshop.base64(
      #"{"payload":"\#(CredentialWorkshop.password)","expiration":86400}"#)
    try user.helper("ecr", #"echo '{"Username":"AWS","Secret":"\#(expired)"}'"#)
    try user.workshop.folder.write(
      "home/.docker/config.json", #"{"credHelpers":{"a.example":"ecr"}}"#, mode: 0o600)
    let text = try shown(["a.example"])
    #expect(
      text.contains(
        #/credential  user "AWS", password, expired \d+ d ago\nfrom        docker-credential-ecr, which ~/home/.docker/config.json names as credHelpers\n/#
      ))
    #expect(
      text.contains(
        #/\* docker +~/home/.docker/config.json: docker-credential-ecr: user "AWS", password, expired/#
      ))
    #expect(!text.contains(expired))
  }

  @Test("a source that cannot be asked is marked, and its error ends the command")
  func failed() throws {
    try user.store()
    try user.workshop.folder.write(
      "docker/config.json", #"{"auths":{"ghcr.io":{"auth":"\#(CredentialWorkshop.password)"}}}"#,
      mode: 0o600)
    let text = try shown(
      ["ghcr.io", "-v"], environment: ["DOCKER_CONFIG": "docker"], status: 65,
      stderr:
        "error: credentials in \"docker/config.json\": under \"ghcr.io\": expected \"auth\" to be base64 of USER:PASSWORD, found what is no base64; mend it, or take it out and log in again\n"
    )
    #expect(
      text == """
        registry    ghcr.io
        credential  unknown, as a source cannot be asked

          --authfile          not given
          REGISTRY_AUTH_FILE  not set
          DOCKER_AUTH_CONFIG  not set
        ! DOCKER_CONFIG       docker/config.json: failed, see the error
          podman, session     ~/run/containers/auth.json: not asked
          podman, user        ~/home/.config/containers/auth.json: not asked
          docker              ~/home/.docker/config.json: not asked
          docker, legacy      ~/home/.dockercfg: not asked
          Amazon ECR          not asked

        """)
  }

  @Test(
    "a file that is closed to us is passed over with a warning",
    .enabled(if: geteuid() != 0 || peers("setpriv")))
  func closed() throws {
    try user.store()
    try FileManager.default.copyItem(
      atPath: builtBinary().string, toPath: "\(user.path)/ociforge")
    for folder in ["", "/home", "/home/.docker"] {
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o755], ofItemAtPath: user.path + folder)
    }
    try FileManager.default.setAttributes(
      [.posixPermissions: 0], ofItemAtPath: "\(user.path)/home/.docker/config.json")
    let program = "\(user.path)/ociforge"
    let drop = ["--reuid=65534", "--regid=65534", "--clear-groups", program]
    let finished = try TestSupport.run(
      geteuid() == 0 ? "setpriv" : program, (geteuid() == 0 ? drop : []) + ["auth", "ghcr.io"],
      environment: user.environment, in: user.workshop.path)
    #expect(finished.status == 0)
    #expect(
      finished.stderr
        == "warning: reading \"\(user.path)/home/.docker/config.json\": Permission denied; credentials in it are not used\n"
    )
    #expect(finished.output.contains("asked anonymously"))
    #expect(finished.output.contains("config.json: permission denied\n"))
  }

  @Test(
    "what podman and skopeo have stored is found", .enabled(if: peers("skopeo", "podman", "nginx")))
  func storedByOthers() async throws {
    try await Nginx.run(locations: "location /v2/ { return 200; }") { nginx in
      for (number, program) in ["skopeo", "podman"].enumerated() {
        let registry = "127.0.0.1:\(number == 0 ? nginx.plainPort : nginx.securePort)"
        let finished = try TestSupport.run(
          program,
          [
            "login", "--tls-verify=false", "--username", program, "--password-stdin", "--authfile",
            "auth.json", registry,
          ], environment: user.environment, in: user.workshop.path,
          input: Array(CredentialWorkshop.password.utf8))
        try #require(finished.status == 0, "\(program): \(finished.stderr)")
        let text = try shown([registry, "--authfile", "auth.json"])
        #expect(text.contains("credential  user \"\(program)\", password\n"))
        #expect(text.contains("from        auth.json, entry \"\(registry)\"\n"))
        try user.expect(["logout", registry, "--authfile", "auth.json"], stdout: "auth.json\n")
      }
    }
  }

  @Test("--json says the same to programs")
  func json() throws {
    try user.workshop.folder.write(
      "run/containers/auth.json",
      #"{"auths":{"ghcr.io/team":{"auth":"\#(CredentialWorkshop.base64("t:\(CredentialWorkshop.password)"))"}}}"#,
      mode: 0o600)
    let text = try shown(["ghcr.io/team/app", "--json"])
    let answer = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(answer["registry"] as? String == "ghcr.io")
    #expect(answer["repository"] as? String == "team/app")
    #expect(answer["isAnonymous"] as? Bool == false)
    #expect(answer["source"] as? String == "podman, session")
    #expect((answer["credential"] as? [String: Any])?["user"] as? String == "t")
    let sources = try #require(answer["sources"] as? [[String: Any]])
    #expect(sources.count == 9)
    #expect(sources[4]["key"] as? String == "ghcr.io/team")
    #expect(sources[4]["path"] as? String == "~/run/containers/auth.json")
    #expect(
      sources.map { $0["outcome"] as? String }.suffix(5) == [
        "won", "not asked", "not asked", "not asked", "not asked",
      ])
  }

  @Test("a signal that ends ociforge ends the helper that it runs", .enabled(if: peers("timeout")))
  func interrupted() throws {
    try user.helper("x", "echo $$ > pid; sleep 300")
    try user.workshop.folder.write("c.json", #"{"credsStore":"x"}"#, mode: 0o600)
    let finished = try TestSupport.run(
      "timeout",
      ["-s", "INT", "1", builtBinary().string, "auth", "ghcr.io", "--authfile", "c.json"],
      environment: user.environment, in: user.workshop.path)
    #expect(finished.status == 124)
    let text = try user.workshop.read("pid")
    let helper = try #require(Int(text.trimmingCharacters(in: .newlines)))
    func isAlive() -> Bool {
      let state = try? String(contentsOfFile: "/proc/\(helper)/stat", encoding: .utf8)
      return state?.contains(") Z ") == false
    }
    for _ in 0..<250 where isAlive() { usleep(20_000) }
    #expect(!isAlive())
  }
}
