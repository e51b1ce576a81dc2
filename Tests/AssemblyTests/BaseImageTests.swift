import Assembly
import Bindings
import Definition
import Foundation
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

/// Whole images on a base, in one layout with it.
@Suite("Assembler on a base") struct BaseImageTests {
  let directory: TemporaryDirectory
  let layout: ImageLayout

  init() throws {
    directory = try TemporaryDirectory()
    layout = try ImageLayout.create(directory.path.appending("layout"))
  }

  private func assemble(
    _ text: String, on base: ResolvedBase? = nil
  ) async throws -> AssembledImages {
    let definition = try ImageDefinition.parse(
      Array("formatVersion: 1\nname: x\nplatforms: [linux/arm]\n\(text)".utf8), file: "image.yaml")
    let bases = base.map { [definition.images[0].platform: $0] } ?? [:]
    let plan = try AssemblyPlan(
      definition, inputs: [:], bases: bases, epoch: 1_700_000_000,
      spoolStore: BlobStore(root: directory.path.appending("cache")), reporter: .silent)
    let images = try await Assembler(
      options: AssemblyOptions(epoch: 1_700_000_000, threads: 2), store: layout.store,
      reporter: .silent
    ).assemble(plan)
    let violations = try ImageValidator.validate(store: layout.store, roots: [images.root])
    #expect(violations.isEmpty, "\(violations)")
    return images
  }

  private static let base = """
    layers:
      - name: root
        entries:
          - { path: /usr/lib, directory: true, mode: "0751" }
          - { path: /lib, symlink: usr/lib }
          - { path: /run, directory: true }
          - { path: /var/run, symlink: /run }
          - { path: /tmp, directory: true, mode: "1777" }
          - { path: /etc/motd, text: hello }
          - { path: /etc/hosts, text: hosts }
          - { path: /srv/old/deep, text: old }
          - { path: /srv/kept, text: old }
          - { path: /opt/tool/bin, text: tool }
          - { path: /data, text: file }
      - name: more
        entries: [{ path: /usr/lib/base, text: base }]
    config: { env: { PATH: /bin, A: "1" }, entrypoint: [/bin/a], cmd: [b], labels: { l: m } }
    """

  private static let image = """
    layers:
      - name: app
        entries:
          - { path: /lib/x, text: x }
          - { path: /var/run/w, text: w }
          - { path: /tmp/f, text: f }
          - { path: /etc/motd, remove: true }
          - { path: /srv, remove: true }
          - { path: /srv/kept, text: new }
          - { path: /opt/tool, text: "a file now" }
          - { path: /data, directory: true }
          - { path: /data/x, text: x }
      - name: gone
        entries: [{ path: /usr/lib/base, remove: true }]
    config: { env: { A: "2" }, entrypoint: [/bin/c] }
    annotations: { org.example.a: b }
    """

  private static let listing = [
    "drwxr-xr-x /data", "-rw-r--r-- /data/x", "drwxr-xr-x /etc", "-rw-r--r-- /etc/hosts",
    "lrwxrwxrwx /lib", "drwxr-xr-x /opt", "-rw-r--r-- /opt/tool", "drwxr-xr-x /run",
    "-rw-r--r-- /run/w", "drwxr-xr-x /srv", "-rw-r--r-- /srv/kept", "drwxrwxrwt /tmp",
    "-rw-r--r-- /tmp/f", "drwxr-xr-x /usr", "drwxr-x--x /usr/lib", "-rw-r--r-- /usr/lib/x",
    "drwxr-xr-x /var", "lrwxrwxrwx /var/run",
  ]

  private func imageOnBase() async throws -> (base: ResolvedBase, images: AssembledImages) {
    let root = try await assemble(Self.base).root
    let base = try ResolvedBase(root, in: layout, name: "registry.example/base:1")
    return (base, try await assemble(Self.image, on: base))
  }

  @Test("layers, config, history and annotations are the base's with ours on top")
  func documents() async throws {
    let (base, images) = try await imageOnBase()
    let image = images.images[0]
    #expect(image.baseLayers == base.layers.map(\.descriptor))
    #expect(
      image.manifest.body.layers == image.baseLayers + image.layers.map(\.descriptor))
    #expect(
      image.manifest.body.annotations == [
        "org.example.a": "b", "org.opencontainers.image.base.name": "registry.example/base:1",
        "org.opencontainers.image.base.digest": "\(base.digest)",
      ])
    let config = try layout.config(image.config.descriptor).body
    #expect(config.diffIDs == base.config.diffIDs + image.layers.map(\.diffID))
    #expect(
      config.history.map(\.createdBy) == [
        "ociforge v1 root", "ociforge v1 more", "ociforge v1 app", "ociforge v1 gone",
      ])
    #expect(config.config.env == ["PATH=/bin", "A=2"])
    #expect(config.config.entrypoint == ["/bin/c"])
    #expect(config.config.cmd == nil)
    #expect(config.config.labels == ["l": "m"])
    let tree = try ImageFilesystem(
      store: layout.store, layers: image.manifest.body.layers)
    #expect(tree.entries.dropFirst().map { "\($0.modeText) \($0.path)" } == Self.listing)
  }

  @Test("an image on a base has the golden digests")
  func golden() async throws {
    let (base, images) = try await imageOnBase()
    var lines = "\(base.digest)  base\n\(images.root.digest)  manifest\n"
    lines += "\(images.images[0].config.descriptor.digest)  config\n"
    for layer in images.images[0].layers {
      lines += "\(layer.diffID)  \(layer.name) DiffID\n"
      lines += "\(layer.descriptor.digest)  \(layer.name) digest\n"
    }
    try expectGolden("images/on-base.txt", lines)
  }

  @Test("bsdtar reads whiteouts, parents and files in their order", .enabled(if: peers("bsdtar")))
  func bsdtar() async throws {
    let layer = try await imageOnBase().images.images[0].layers[0]
    let listed = try run(
      "bsdtar", ["-tvf", layout.store.path(of: layer.descriptor.digest).string])
    #expect(listed.status == 0, "\(listed.stderr)")
    let lines = listed.output.split(separator: "\n").map { line in
      let columns = line.split(separator: " ")
      return [columns[0], columns[2], columns[3], columns[columns.count - 1]].joined(separator: " ")
    }
    #expect(
      lines == [
        "drwxr-xr-x 0 0 data/", "-rw-r--r-- 0 0 data/x", "drwxr-xr-x 0 0 etc/",
        "-rw-r--r-- 0 0 etc/.wh.motd", "drwxr-xr-x 0 0 opt/", "-rw-r--r-- 0 0 opt/tool",
        "drwxr-xr-x 0 0 run/", "-rw-r--r-- 0 0 run/w", "drwxr-xr-x 0 0 srv/",
        "-rw-r--r-- 0 0 srv/.wh.old", "-rw-r--r-- 0 0 srv/kept", "drwxrwxrwt 0 0 tmp/",
        "-rw-r--r-- 0 0 tmp/f", "drwxr-xr-x 0 0 usr/", "drwxr-x--x 0 0 usr/lib/",
        "-rw-r--r-- 0 0 usr/lib/x",
      ])
  }

  @Test("umoci unpacks what the merged tree shows", .enabled(if: peers("umoci")))
  func umoci() async throws {
    let images = try await imageOnBase().images
    try layout.tag(images.root, as: "latest")
    let bundle = directory.path.appending("bundle")
    let finished = try run(
      "umoci",
      ["unpack", "--rootless", "--image", "\(directory.path)/layout:latest", bundle.string])
    try #require(finished.status == 0, "\(finished.stderr)")
    #expect(try listing(of: bundle.appending("rootfs")) == Self.listing)
    let stat = try run("umoci", ["stat", "--image", "\(directory.path)/layout:latest"])
    #expect(stat.status == 0, "\(stat.stderr)")
  }

  @Test(
    "podman's storage makes of it what the merged tree shows", .enabled(if: Self.canMount),
    arguments: ["vfs", "overlay"])
  func podman(_ driver: String) async throws {
    let images = try await imageOnBase().images
    try layout.tag(images.root, as: "latest")
    let storage = [
      "--root", "\(directory.path)/storage", "--runroot", "\(directory.path)/run",
      "--storage-driver", driver,
    ]
    func podman(_ arguments: String...) throws -> Finished {
      try run("podman", storage + arguments, in: directory.path)
    }
    let pulled = try podman(
      "pull", "-q", "--arch", "arm", "oci:layout:latest")
    try #require(pulled.status == 0, "\(pulled.stderr)")
    let id = pulled.output.filter { !$0.isWhitespace }
    let mounted = try podman("image", "mount", id)
    try #require(mounted.status == 0, "\(mounted.stderr)")
    let found = try listing(of: FilePath(mounted.output.filter { !$0.isWhitespace }))
    _ = try podman("image", "unmount", id)
    #expect(found == Self.listing)
    let history = try podman("history", "-q", id)
    #expect(history.status == 0, "\(history.stderr)")
    _ = try podman("rmi", id)
  }

  private static let canMount = geteuid() == 0 && peers("podman")

  /// What lies below a folder, as ``ImageFilesystem`` lists it.
  private func listing(of root: FilePath) throws -> [String] {
    let found = try run("find", [".", "-mindepth", "1", "-printf", "%M /%P\\n"], in: root)
    #expect(found.status == 0, "\(found.stderr)")
    return try found.output.split(separator: "\n").map(String.init).map { line in
      (line, try ImagePath(absolute: String(line.drop { $0 != "/" })))
    }.sorted { $0.1 < $1.1 }.map(\.0)
  }

  @Test("an image without layers of its own is its base with another config")
  func configOnly() async throws {
    let root = try await assemble(Self.base).root
    let base = try ResolvedBase(root, in: layout)
    let image = try await assemble(
      "config: { author: me, cmd: [z] }\nannotations: { org.opencontainers.image.base.digest: \"sha256:\(String(repeating: "0", count: 64))\" }",
      on: base
    ).images[0]
    #expect(image.manifest.body.layers == image.baseLayers)
    #expect(image.layers.isEmpty)
    #expect(image.config.body.author == "me")
    #expect(image.config.body.config.entrypoint == ["/bin/a"])
    #expect(
      image.manifest.body.annotations == [
        "org.opencontainers.image.base.digest": "sha256:\(String(repeating: "0", count: 64))"
      ], "the definition's own wins, and a base without a name has none")
  }

  @Test("what nobody knows in the base's config stays, and what only it says of the platform")
  func configOfBase() async throws {
    let base = try ResolvedBase([[.file("a")], [.file("b")]], in: layout.store) { config in
      config.platform.variant = "v6"
      config.platform.osVersion = "1.2"
      config.author = "somebody"
      config.unknown["docker_version"] = .string("20.10")
      config.config.unknown["Hostname"] = .string("abc")
      config.config.healthcheck = Healthcheck(test: ["NONE"])
      config.history.append(History(createdBy: "ENV A=1", emptyLayer: true))
    }
    let images = try await assemble("layers: [{ name: l, entries: [] }]", on: base)
    let config = try layout.config(images.images[0].config.descriptor).body
    #expect(config.platform.description == "linux/arm/v6")
    #expect(config.platform.osVersion == "1.2")
    #expect(images.root.platform == config.platform)
    #expect(images.images[0].platform == config.platform)
    #expect(config.author == "somebody")
    #expect(config.created == "2023-11-14T22:13:20Z")
    #expect(config.unknown["docker_version"] == .string("20.10"))
    #expect(config.config.unknown["Hostname"] == .string("abc"))
    #expect(config.config.healthcheck == Healthcheck(test: ["NONE"]))
    #expect(config.history.map(\.emptyLayer) == [false, false, true, false])
    #expect(config.history.last?.createdBy == "ociforge v1 l")
  }

  @Test(
    "a history that the base lacks is made up to its layers, from below",
    arguments: [
      (0, [nil, nil, "ociforge v1 l"]), (1, [nil, "made by hand", "ociforge v1 l"]),
      (2, ["made by hand", "made by hand", "ociforge v1 l"]),
    ] as [(Int, [String?])])
  func history(_ known: Int, _ steps: [String?]) async throws {
    let base = try ResolvedBase([[.file("a")], [.file("b")]], in: layout.store) { config in
      config.history.removeFirst(2 - known)
    }
    let images = try await assemble("layers: [{ name: l, entries: [] }]", on: base)
    let history = images.images[0].config.body.history
    #expect(history.map(\.createdBy) == steps)
    #expect(history.allSatisfy { $0.created != nil && !$0.emptyLayer })
    try layout.tag(images.root, as: "latest")
    guard peers("umoci") else { return }
    let stat = try run("umoci", ["stat", "--image", "\(directory.path)/layout:latest"])
    #expect(stat.status == 0, "\(stat.stderr)")
  }

  @Test("a base whose config and layers disagree is refused before anything is packed")
  func contradictions() async throws {
    let few = try ResolvedBase([[.file("a")]], in: layout.store, name: "base:1") {
      $0.diffIDs = []
    }
    let failure = await #expect(throws: AssemblyError.self) {
      try await assemble("layers: []", on: few)
    }
    #expect(
      failure?.description
        == "base \"base:1\": expected one DiffID in its config for each of its 1 layers, found 0")
    let many = try ResolvedBase([[.file("a")]], in: layout.store, name: "base:1") {
      $0.history += $0.history
    }
    let other = await #expect(throws: AssemblyError.self) {
      try await assemble("layers: []", on: many)
    }
    #expect(
      other?.description
        == "base \"base:1\": expected at most 1 steps with a layer in its history, as many as it has layers, found 2"
    )
  }

  @Test("the manifests of an index are in the order of their platforms, as their bases make them")
  func order() async throws {
    let definition = try ImageDefinition.parse(
      Array("formatVersion: 1\nname: x\nplatforms: [linux/arm, linux/arm/v6]\n".utf8),
      file: "image.yaml")
    let base = try ResolvedBase([[.file("a")]], in: layout.store) { config in
      config.platform = Platform(os: "linux", architecture: "arm", variant: "v7")
    }
    let plan = try AssemblyPlan(
      definition, inputs: [:],
      bases: Dictionary(uniqueKeysWithValues: definition.images.map { ($0.platform, base) }),
      epoch: 0, spoolStore: layout.store, reporter: .silent)
    let images = try await Assembler(
      options: AssemblyOptions(epoch: 0, threads: 1), store: layout.store, reporter: .silent
    ).assemble(plan)
    let index = try layout.imageIndex(images.root).body
    #expect(index.manifests.map(\.platform?.description) == ["linux/arm/v6", "linux/arm/v7"])
    #expect(index.annotations.isEmpty)
  }
}
