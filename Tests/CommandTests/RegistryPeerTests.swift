import Foundation
import SystemPackage
import TestSupport
import Testing

/// What is pushed, others pull; what others push is pulled and built on.
@Suite(.serialized, .enabled(if: registryPeers("skopeo", "gcc")))
struct RegistryPeerTests {
  private let room: Room

  init() throws {
    room = try Room()
    try Printer.make(in: room)
  }

  private static let gates = [DockerRegistry.Gate.password, .tokens(lifetime: 300)]

  @Test(
    "a pushed image is the same for skopeo and ociforge, by tag and by digest", arguments: gates)
  func push(gate: DockerRegistry.Gate) async throws {
    let digest = try room.assemble("base", "-o", "layout")
    try await DockerRegistry.run(gate) { registry in
      let image = registry.reference("team/base")
      #expect(try room.forge(at: registry, "push", "oci:layout", "\(image):v1") == digest)
      #expect(registry.digest(of: "v1", in: "team/base") == digest)

      let requests = try registry.exchanges.count
      #expect(try room.forge(at: registry, "push", "oci:layout", "\(image):v1") == digest)
      let repeated = try registry.exchanges.dropFirst(requests)
      #expect(!repeated.contains { ["POST", "PUT", "PATCH"].contains($0.method) }, "\(repeated)")

      try room.skopeoCopy(
        at: registry, "--preserve-digests", "docker://\(image):v1", "oci:skopeo:v1")
      try room.forge(at: registry, "pull", "\(image):v1", "oci:tagged:v1")
      try room.forge(at: registry, "pull", "\(image)@\(digest)", "oci:named:v1")
      for layout in ["skopeo", "tagged", "named"] {
        #expect(try room.rootDigest("\(layout):v1") == digest)
        try room.expectValid("\(layout):v1")
        try room.peer("diff", "-r", "layout/blobs", "\(layout)/blobs")
      }
    }
  }

  @Test(
    "podman pulls a pushed image and runs it", .enabled(if: peers("podman", "runc") && isRoot))
  func podman() async throws {
    let digest = try room.assemble("base", "-o", "layout")
    try await DockerRegistry.run(.tokens(lifetime: 300)) { registry in
      let image = registry.reference("team/base:v1")
      try room.forge(at: registry, "push", "oci:layout", image)
      try room.podmanPull(image, from: registry)
      let names = try room.podman(["image", "inspect", "--format", "{{.RepoDigests}}", image])
      #expect(names.contains("@\(digest)"), "\(names)")
      #expect(try room.podman(podmanRun + [image]) == "from the base\n")
    }
    try room.expectValid("layout")
  }

  @Test(
    "an image that skopeo pushed is a base; the result runs, and its base's layers are not sent again",
    .enabled(if: peers("podman", "runc") && isRoot), arguments: ["oci", "v2s2"])
  func base(format: String) async throws {
    try room.assemble("base", "-o", "layout")
    try await DockerRegistry.run(.password) { registry in
      let base = registry.reference("core/base:\(format)")
      try room.skopeoCopy(at: registry, "--format", format, "oci:layout:latest", "docker://\(base)")
      let inherited = registry.blobs(of: "core/base")
      let requests = try registry.exchanges.count

      try Printer.writeApplication(on: base, in: room)
      let image = registry.reference("team/app:v1")
      let digest = try room.forge(
        at: registry, "assemble", "app", "-o", "built", "--push", image, "--push",
        registry.reference("team/app:latest"))
      for tag in ["v1", "latest"] {
        #expect(registry.digest(of: tag, in: "team/app") == digest)
      }
      let sent = try registry.exchanges.dropFirst(requests).compactMap(\.uploaded)
      #expect(sent.filter(inherited.contains) == [])
      #expect(!sent.isEmpty)

      try room.podmanPull(image, from: registry)
      #expect(
        try room.podman(podmanRun + [image, "/etc/motd", "/usr/bin/extra", "/bin/extra"])
          == "from the base\nfrom the app\nfrom the app\n")
      #expect(
        try room.podman([
          "image", "inspect", "--format", "{{.Config.Entrypoint}} {{.Config.Cmd}} {{.Config.Env}}",
          image,
        ]) == "[/bin/print] [/etc/motd] [PATH=/bin APP=yes]\n")
    }
    try room.expectValid("built")
  }

  @Test("--push without a layout does not fetch the layers of a base that it knows")
  func noLayout() async throws {
    try room.assemble("base", "-o", "layout")
    try await DockerRegistry.run { registry in
      let base = registry.reference("core/base:v1")
      try room.forge(at: registry, "push", "oci:layout", base)
      try Printer.writeApplication(on: base, in: room)
      let image = registry.reference("team/app:v1")
      let digest = try room.forge(at: registry, "assemble", "app", "-o", "built", "--push", image)

      // The listing of the base's layers is cached now; only that.
      try FileManager.default.removeItem(atPath: room("built"))
      let layers = try room.layers(of: "layout")
      let requests = try registry.exchanges.count
      let again = registry.reference("team/again:v1")
      #expect(
        try room.forge(at: registry, "assemble", "app", "--no-layout", "--push", again) == digest)
      #expect(registry.digest(of: "v1", in: "team/again") == digest)
      let since = try registry.exchanges.dropFirst(requests)
      #expect(
        !since.contains { call in
          call.method == "GET" && layers.contains { call.path.hasSuffix($0) }
        })
      #expect(!FileManager.default.fileExists(atPath: room("built")))
    }
    try room.expectValid("layout")
  }

  @Test("copying within a registry mounts the blobs and moves none")
  func mount() async throws {
    let digest = try room.assemble("base", "-o", "layout")
    try await DockerRegistry.run(.tokens(lifetime: 300)) { registry in
      let (one, two) = (registry.reference("team/one:v1"), registry.reference("other/two:v1"))
      try room.forge(at: registry, "push", "oci:layout", one)
      let requests = try registry.exchanges.count
      #expect(try room.forge(at: registry, "copy", one, two) == digest)
      #expect(registry.digest(of: "v1", in: "other/two") == digest)
      #expect(registry.blobs(of: "other/two") == registry.blobs(of: "team/one"))
      let since = try registry.exchanges.dropFirst(requests)
      #expect(since.compactMap(\.uploaded) == [])
      let layer = try room.layers(of: "layout")[0]
      #expect(!since.contains { $0.method == "GET" && $0.path.hasSuffix(layer) }, "\(since)")
    }
    try room.expectValid("layout")
  }

  @Test("tokens are asked for by scope and kept: a push needs few")
  func tokens() async throws {
    try room.assemble("base", "-o", "layout")
    try await DockerRegistry.run(.tokens(lifetime: 300)) { registry in
      try room.forge(at: registry, "push", "oci:layout", registry.reference("team/base:v1"))
      let asked = try #require(registry.tokens).requests
      #expect(asked.count <= 2, "\(asked)")
      #expect(asked.allSatisfy { $0.grant == "basic" && $0.status == 200 }, "\(asked)")
      #expect(asked.contains { $0.scope == ["repository:team/base:pull,push"] }, "\(asked)")
    }
    try room.expectValid("layout")
  }

  @Test("a registry that speaks plain HTTP on loopback needs no flag")
  func plain() async throws {
    let digest = try room.assemble("base", "-o", "layout")
    try await DockerRegistry.run(secure: false) { registry in
      let image = registry.reference("team/base:v1")
      #expect(try room.forge(at: registry, "push", "oci:layout", image) == digest)
      try room.forge(at: registry, "pull", image, "oci:back:v1")
    }
    #expect(try room.rootDigest("back:v1") == digest)
    try room.expectValid("back:v1")
  }

  @Test(
    "nobody and a wrong password are denied, the right one on stdin is not, and none is shown",
    arguments: gates)
  func credentials(gate: DockerRegistry.Gate) async throws {
    try room.assemble("base", "-o", "layout")
    try await DockerRegistry.run(gate) { registry in
      let image = registry.reference("team/base:v1")
      let nobody = try room.environment(for: registry, isKnown: false)
      for command in [["push", "oci:layout", image], ["pull", image, "oci:back:v1"]] {
        let denied = try room.forge(command, environment: nobody)
        #expect(denied.status == 77 && denied.output == "", "\(denied.stderr)")
      }
      for (password, status) in [("no-such-password", Int32(77)), (registry.account.password, 0)] {
        let pushed = try room.forge(
          [
            "push", "-v", "--username", registry.account.user, "--password-stdin", "oci:layout",
            image,
          ],
          environment: nobody.merging(["PASSWORD": password]) { $1 }, under: Self.passwordOnStdin)
        #expect(pushed.status == status, "\(pushed.stderr)")
        let basic = Data("\(registry.account.user):\(password)".utf8).base64EncodedString()
        #expect(
          !pushed.stderr.contains(password) && !pushed.stderr.contains(basic), "\(pushed.stderr)")
      }
      #expect(!FileManager.default.fileExists(atPath: room("back/index.json")))
    }
    try room.expectValid("layout")
  }

  @Test("login checks what it stores, for skopeo too; logout removes it")
  func login() async throws {
    try room.assemble("base", "-o", "layout")
    try await DockerRegistry.run(.password) { registry in
      let image = registry.reference("team/base:v1")
      let nobody = try room.environment(for: registry, isKnown: false)
      func login(_ password: String) throws -> Finished {
        try room.forge(
          ["login", registry.host, "--username", registry.account.user, "--password-stdin"],
          environment: nobody.merging(["PASSWORD": password]) { $1 }, under: Self.passwordOnStdin)
      }
      #expect(try login("no-such-password").status == 77)
      #expect(try room.read("nobody.json").contains(registry.host) == false)
      let done = try login(registry.account.password)
      #expect(done.status == 0, "\(done.stderr)")
      #expect(try room.forge(["push", "oci:layout", image], environment: nobody).status == 0)
      try room.peer("skopeo", "inspect", "--raw", "docker://\(image)", environment: nobody)
      #expect(try room.forge(["logout", registry.host], environment: nobody).status == 0)
      #expect(try room.forge(["push", "oci:layout", image], environment: nobody).status == 77)
    }
    try room.expectValid("layout")
  }

  // The room runs a program below another one, which here gives it its standard input.
  private static let passwordOnStdin = ["sh", "-c", #"printf %s "$PASSWORD" | "$@""#, "sh"]
}

extension DockerRegistry.Exchange {
  /// The digest of the blob that a request uploaded whole; `nil` for every other request.
  var uploaded: String? {
    guard method == "PUT", status == 201, path.contains("/blobs/uploads/"),
      let digest = path.firstMatch(of: /[?&]digest=(sha256)(?::|%3[Aa])([0-9a-f]{64})/)
    else { return nil }
    return "\(digest.1):\(digest.2)"
  }
}

extension Room {
  func podmanPull(_ image: String, from registry: DockerRegistry) throws {
    try podman([
      "pull", "--quiet", "--cert-dir", registry.authority.certificateFolder.string,
      "--creds", registry.credentials, image,
    ])
  }

  /// The digests of an image's layers for this machine.
  func layers(of layout: String) throws -> [String] {
    try descriptors(of: layout).map(\.digest)
  }

  /// Their media types.
  func layerTypes(of layout: String) throws -> [String] {
    try descriptors(of: layout).map(\.mediaType)
  }

  private func descriptors(of layout: String) throws -> [LayerDescriptor] {
    let raw = try forge([
      "inspect", "--raw", "--platform", "linux/\(Built.architecture)", "oci:\(layout)",
    ])
    return try JSONDecoder().decode(LayerManifest.self, from: Data(raw.stdout)).layers
  }
}

private struct LayerManifest: Decodable {
  let layers: [LayerDescriptor]
}

private struct LayerDescriptor: Decodable {
  let mediaType, digest: String
}
