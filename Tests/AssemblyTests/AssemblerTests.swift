import Assembly
import Bindings
import Definition
import OCILayout
import OCISpec
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("Assembler") struct AssemblerTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func definition(_ text: String) throws -> ImageDefinition {
    try ImageDefinition.parse(Array(text.utf8), file: directory.path.appending("image.yaml"))
  }

  private func assemble(
    _ text: String, into name: String = "layout", threads: Int = 2, reporter: Reporter = .silent
  ) async throws -> (layout: ImageLayout, images: AssembledImages) {
    let definition = try definition(text)
    let inputs = Dictionary(
      uniqueKeysWithValues: definition.images.map { image in
        (
          image.platform,
          image.inputs.compactMapValues { input in
            if case .file(let path) = input.source {
              InputFile(path: path, isExecutable: true)
            } else {
              nil
            }
          }
        )
      })
    let spool = BlobStore(root: directory.path.appending("cache"))
    let plan = try AssemblyPlan(
      definition, inputs: inputs, bases: [:], epoch: 1_700_000_000, spoolStore: spool,
      reporter: reporter)
    let layout = try ImageLayout.create(directory.path.appending(name))
    let assembler = Assembler(
      options: AssemblyOptions(epoch: 1_700_000_000, threads: threads), store: layout.store,
      reporter: reporter)
    return (layout, try await assembler.assemble(plan))
  }

  private static let twoPlatforms = """
    formatVersion: 1
    name: sample
    platforms: [linux/arm64, linux/amd64]
    from: scratch
    inputs: { tool: { file: "tool-${arch}" } }
    accounts:
      users: [{ name: app, uid: 1000, gid: 1000, home: /work, shell: /bin/false }]
      groups: [{ name: app, gid: 1000 }]
    layers:
      - name: tool
        entries: [{ path: /bin/tool, input: tool }]
      - name: config
        entries: [{ path: /etc/conf, text: "arch ${arch}\\n" }]
    config: { user: app, env: { A: "1" }, entrypoint: [/bin/tool], exposedPorts: [80] }
    annotations: { a: b }
    """

  private func writeTools() throws {
    try directory.write("tool-amd64", ExecutableCheckTests.elf(machine: 62))
    try directory.write("tool-arm64", ExecutableCheckTests.elf(machine: 183))
  }

  @Test("two platforms give an index, sorted, with one manifest each, and a valid image")
  func index() async throws {
    try writeTools()
    let (layout, images) = try await assemble(Self.twoPlatforms)
    #expect(images.root.mediaType == .imageIndex)
    let index = try layout.imageIndex(images.root).body
    #expect(index.manifests.map(\.platform?.description) == ["linux/amd64", "linux/arm64"])
    #expect(index.annotations == ["a": "b"])
    let config = try layout.config(images.images[0].manifest.body.config).body
    #expect(config.created == "2023-11-14T22:13:20Z")
    #expect(
      config.history.map(\.createdBy) == [
        "ociforge v1 accounts", "ociforge v1 tool", "ociforge v1 config",
      ])
    #expect(config.diffIDs.count == 3)
    let tree = try ImageFilesystem(
      store: layout.store, layers: images.images[0].manifest.body.layers)
    var passwd: [UInt8] = []
    try tree.cat("/etc/passwd") { passwd += $0 }
    #expect(String(decoding: passwd, as: UTF8.self) == "app:x:1000:1000::/work:/bin/false\n")
    let violations = try ImageValidator.validate(store: layout.store, roots: [images.root])
    #expect(violations.isEmpty, "\(violations)")
  }

  @Test("one platform gives a manifest, and the digest does not depend on the threads")
  func onePlatform() async throws {
    try writeTools()
    let text = Self.twoPlatforms.replacing(
      "platforms: [linux/arm64, linux/amd64]", with: "platforms: [linux/amd64]")
    let first = try await assemble(text, into: "first", threads: 1).images
    let second = try await assemble(text, into: "second", threads: 7).images
    #expect(first.root.mediaType == .imageManifest)
    #expect(first.root.platform?.description == "linux/amd64")
    #expect(first.root == second.root)
  }

  @Test("the images of format version 1 have the golden digests")
  func golden() async throws {
    try writeTools()
    let images = try await assemble(Self.twoPlatforms).images
    var lines = "\(images.root.digest)  index\n"
    for image in images.images {
      lines += "\(image.manifest.descriptor.digest)  \(image.platform) manifest\n"
      lines += "\(image.config.descriptor.digest)  \(image.platform) config\n"
      for layer in image.layers {
        lines += "\(layer.diffID)  \(image.platform) \(layer.name) DiffID\n"
        lines += "\(layer.descriptor.digest)  \(image.platform) \(layer.name) digest\n"
      }
    }
    try expectGolden("images/two-platforms.txt", lines)
  }

  @Test("what is wrong in several layers and on both platforms is said once each")
  func failures() async throws {
    try directory.write("tool-amd64", ExecutableCheckTests.elf(machine: 183))
    try directory.write("tool-arm64", ExecutableCheckTests.elf(machine: 62))
    let text = Self.twoPlatforms.replacing(
      "[{ path: /etc/conf,", with: "[{ path: /x, file: missing }, { path: /etc/conf,")
    let failure = await #expect(throws: FailureList.self) { try await assemble(text) }
    let texts = failure?.failures.map(\.description) ?? []
    #expect(texts.count == 3, "\(texts)")
    #expect(texts.filter { $0.hasSuffix("/missing\": no such file") }.count == 1, "\(texts)")
    #expect(
      texts.contains { $0.contains("is an executable for arm64, expected one for linux/amd64") })
    #expect(
      texts.contains { $0.contains("is an executable for amd64, expected one for linux/arm64") })
  }

  @Test(
    "a loader that the image does not contain is a warning that names it, one that it has is not")
  func loader() async throws {
    let loader = "/lib64/ld-linux-x86-64.so.2"
    try directory.write("tool-amd64", ExecutableCheckTests.elf(machine: 62, interpreter: loader))
    let text = Self.twoPlatforms.replacing(
      "platforms: [linux/arm64, linux/amd64]", with: "platforms: [linux/amd64]")
    #expect(
      try await warnings(of: text).map {
        $0.contains("\"/bin/tool\" needs the loader \"\(loader)\"")
      }
        == [true])
    let with = text.replacing(
      "[{ path: /etc/conf,", with: "[{ path: \(loader), text: x }, { path: /etc/conf,")
    #expect(try await warnings(of: with) == [])
  }

  private func warnings(of text: String) async throws -> [String] {
    let found = Warnings()
    _ = try await assemble(
      text,
      reporter: Reporter { event in
        if case .warning(let text) = event { found.texts.withLock { $0.append(text) } }
      })
    return found.texts.withLock { $0 }
  }

  /// A class, because a closure and its maker hold it.
  private final class Warnings: Sendable { let texts = Mutex<[String]>([]) }
}
