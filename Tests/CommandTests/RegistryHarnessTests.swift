import Foundation
import SystemPackage
import TestSupport
import Testing

/// The registry that the other tests ask, asked by the peers alone: what fails here is not ociforge's fault.
@Suite(.serialized, .enabled(if: peers("docker-registry", "openssl", "perl", "python3", "skopeo")))
struct RegistryHarnessTests {
  private let room: Room

  init() throws { room = try Room() }

  @Test(
    "skopeo copies an image to the registry and back, with the right password only",
    arguments: [DockerRegistry.Gate.password, .tokens(lifetime: 300)])
  func skopeo(gate: DockerRegistry.Gate) async throws {
    try room.define("image.yaml", entry: #"path: /etc/motd, text: "hello""#)
    let digest = try room.assemble("-o", "layout")
    try await DockerRegistry.run(gate) { registry in
      let remote = "docker://\(registry.reference("team/image:v1"))"
      let certificates = registry.authority.certificateFolder.string
      let copy = ["--insecure-policy", "copy", "--all", "--preserve-digests"]
      for (credentials, isRight) in [("builder:wrong", false), (registry.credentials, true)] {
        let copied = try run(
          "skopeo",
          copy + [
            "--dest-cert-dir", certificates, "--dest-creds", credentials, "oci:layout:latest",
            remote,
          ], in: room.path)
        #expect((copied.status == 0) == isRight, "\(copied.stderr)")
      }
      #expect(registry.digest(of: "v1", in: "team/image") == digest)
      #expect(registry.blobs(of: "team/image").count == 2)
      let uploads = try registry.exchanges.filter { $0.method == "PUT" && $0.status == 201 }
      #expect(uploads.count == 3)
      let answers = try registry.tokens?.requests.map(\.status)
      #expect(answers == nil || answers?.contains(401) == true && answers?.contains(200) == true)
      try room.peer(
        "skopeo", "--insecure-policy", "copy", "--all", "--preserve-digests", "--src-cert-dir",
        certificates, "--src-creds", registry.credentials, remote, "oci:back:latest")
    }
    try room.expectValid("back:latest")
  }

  @Test(
    "the token service takes GET and both OAuth2 grants, and refuses what it does not know",
    .enabled(if: peers("curl")))
  func tokens() async throws {
    try await DockerRegistry.run(.tokens(lifetime: 60)) { registry in
      let service = try #require(registry.tokens)
      let scope = ["scope=repository:a/b:pull,push", "service=\(TokenService.service)"]
      let client = scope + ["client_id=tests"]
      let account = ["username=\(registry.account.user)", "password=\(registry.account.password)"]
      let basic = ["--get", "--user", registry.credentials]

      let fetched = try ask(registry, basic + form(scope))
      #expect(fetched.expiresIn == 60 && fetched.token != nil && fetched.refreshToken == nil)
      try ask(registry, ["--get"] + form(scope))
      try ask(registry, ["--get", "--user", "builder:no"] + form(scope), isRefused: true)
      let offline = try ask(
        registry, form(client + account + ["grant_type=password", "access_type=offline"]))
      let refresh = "refresh_token=\(try #require(offline.refreshToken))"
      let again = try ask(registry, form(client + ["grant_type=refresh_token", refresh]))
      #expect(again.accessToken != nil && again.token == nil)
      try ask(
        registry, form(client + ["grant_type=refresh_token", "refresh_token=other"]),
        isRefused: true)
      #expect(
        try service.requests.map { "\($0.method) \($0.grant) \($0.status)" } == [
          "GET basic 200", "GET anonymous 200", "GET basic 401", "POST password 200",
          "POST refresh_token 200", "POST refresh_token 401",
        ])
      #expect(try service.requests.allSatisfy { $0.scope == ["repository:a/b:pull,push"] })
    }
  }

  private struct Answer: Decodable {
    let token, accessToken, refreshToken: String?
    let expiresIn: Int?
  }

  private func form(_ fields: [String]) -> [String] {
    fields.flatMap { ["--data-urlencode", $0] }
  }

  @discardableResult
  private func ask(
    _ registry: DockerRegistry, _ arguments: [String], isRefused: Bool = false
  ) throws -> Answer {
    let finished = try run(
      "curl",
      [
        "--silent", "--cacert", registry.authority.certificate.string, "--write-out",
        "%{stderr}%{http_code}", try #require(registry.tokens).realm,
      ] + arguments)
    #expect(finished.stderr == (isRefused ? "401" : "200"), "\(finished.output)")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Answer.self, from: Data(finished.stdout))
  }
}
