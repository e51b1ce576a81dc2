import Bindings
import Definition
import Inputs
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("Bases that are definitions, and what accounts need of a base")
struct BaseDefinitionTests {
  private let amd64 = Platform(os: "linux", architecture: "amd64")
  private let bench: BaseBench

  init() throws { bench = try BaseBench() }

  @Test("another definition is assembled once, for the platforms that stand on it")
  func assembled() async throws {
    let text = "formatVersion: 1\nname: base\nplatforms: [linux/amd64]\n"
    try bench.directory.write("base/image.yaml", text)
    let bases = try await bench.resolve(
      "../base", platforms: "linux/amd64, linux/arm64",
      assemble: { [bench] path, platforms, chain in
        #expect(path == bench.directory.path.appending("app/../base"))
        #expect(platforms.map(\.description) == ["linux/amd64", "linux/arm64"])
        let own = try FileSystem.absolute(bench.directory.path.appending("app/image.yaml"))
        #expect(chain == [own])
        bench.log.add("assembled")
        let layout = try ImageLayout.create(bench.directory.path.appending("made"))
        let manifests = try platforms.map {
          try SampleImage($0.description).store(in: layout.store)
        }
        return (layout, try layout.store.putIndex(manifests))
      })
    #expect(bases.images.count == 2)
    #expect(bases.images[amd64]?.name == nil)
    #expect(bench.log.take() == ["assembled"])
  }

  @Test("definitions that stand on each other are an error that names them")
  func cycle() async throws {
    let base = try FileSystem.absolute(bench.directory.write("base/image.yaml", "formatVersion: 1"))
    let failure = await bench.failure("../base", chain: [base])
    let own = try FileSystem.absolute(bench.directory.path.appending("app/image.yaml"))
    #expect(
      failure?.text == "definitions stand on each other: \"\(base)\" on \"\(own)\" on \"\(base)\"")
    #expect(failure?.kind == .data)
  }

  @Test("a definition cannot stand on itself, by whatever name")
  func itself() async throws {
    try createSymlink(bench.directory.path.appending("alias"), target: Array("app".utf8))
    for from in ["./", "../app", "../alias", "./image.yaml"] {
      let failure = await bench.failure(from)
      #expect(failure?.text.hasPrefix("definitions stand on each other") == true)
    }
  }

  @Test("a folder without a definition is told; one with a layout, with what to write")
  func noDefinition() async throws {
    let missing = await bench.failure("../gone")
    #expect(missing?.text.hasPrefix("no image definition at ") == true)
    #expect(missing?.kind == .notFound)
    _ = try bench.layout { try SampleImage().store(in: $0) }
    let layout = await bench.failure("../base")
    let path = "\(bench.directory.path)/app/../base"
    #expect(
      layout?.text
        == "\"\(path)\" is no folder of a definition but an image layout; write \"oci:\(path)\"")
    #expect(layout?.kind == .notFound)
  }

  // MARK: Accounts

  private let accounts = "accounts: { users: [{ name: app, uid: 1000 }] }"

  private func files(_ layers: [[(path: String, text: String)]]) async throws -> [String: String] {
    var image = try SampleImage()
    image.layers = try layers.map { try SampleImage.Layer($0) }
    let from = try bench.layout { [image] in try image.store(in: $0) }
    let base = try #require(try await bench.resolve(from, more: accounts).images[amd64])
    return Dictionary(
      uniqueKeysWithValues: base.files.map {
        ($0.key.description, String(decoding: $0.value, as: UTF8.self))
      })
  }

  @Test("the accounts of a base are those of its layers merged, through its symlinks")
  func accountFiles() async throws {
    let files = try await files([
      [("etc/passwd", "old"), ("usr/etc/group", "wheel"), ("etc/group", "-> ../usr/etc/group")],
      [("etc/passwd", "new")],
    ])
    #expect(files == ["/etc/passwd": "new", "/etc/group": "wheel"])
  }

  @Test("what the base lacks, or a layer took away, is not there")
  func absentAccountFiles() async throws {
    let files = try await files([[("etc/passwd", "old")], [("etc/.wh.passwd", "")]])
    #expect(files.isEmpty)
  }

  @Test("an accounts file of more than 1 MiB is refused")
  func largeAccountFile() async throws {
    let image = try SampleImage([("etc/group", String(repeating: "x", count: 1 << 20 + 1))])
    let from = try bench.layout { try image.store(in: $0) }
    #expect(await bench.failure(from) == nil)
    let failure = await bench.failure(from, more: accounts)
    #expect(
      failure?.text
        == "adding accounts to /etc/group of the base: expected at most 1.0 MB, found 1.0 MB")
  }

  @Test("a blob that changed after it was listed is not read from")
  func changedBlob() async throws {
    let image = try SampleImage([("etc/passwd", "root")])
    let from = try bench.layout { try image.store(in: $0) }
    #expect(await bench.failure(from) == nil)
    let digest = try Digest.sha256(of: image.layers[0].bytes)
    var bytes = image.layers[0].bytes
    bytes[512] = 0x52
    try bench.directory.write("base/blobs/sha256/\(digest.hex)", bytes)
    #expect(await bench.failure(from) == nil)
    let failure = await bench.failure(from, more: accounts)
    #expect(failure?.text.contains("digest mismatch") == true)
  }
}
