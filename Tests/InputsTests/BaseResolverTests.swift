import Bindings
import Definition
import Inputs
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("BaseResolver")
struct BaseResolverTests {
  private let amd64 = Platform(os: "linux", architecture: "amd64")
  private let arm64 = Platform(os: "linux", architecture: "arm64")
  private var bench: BaseBench

  init() throws { bench = try BaseBench() }

  // MARK: On this machine

  @Test("an image in a layout gives its config, its layers and what they hold")
  func layout() async throws {
    let image = try SampleImage()
    var root: Descriptor?
    let from = try bench.layout {
      root = try image.store(in: $0)
      return try #require(root)
    }
    let bases = try await bench.resolve(from)
    let base = try #require(bases.images[amd64])
    #expect(base.name == nil)
    #expect(base.digest == root?.digest)
    #expect(base.config.platform == amd64)
    #expect(base.layers.map(\.descriptor.mediaType) == [.layer])
    #expect(base.layers[0].listing.members.map(\.path.description) == ["/etc/greeting"])
    #expect(base.files.isEmpty)
    guard case .store(let store) = bases.sources[base.layers[0].descriptor.digest] else {
      Issue.record("expected the layout")
      return
    }
    #expect(store.root == bench.directory.path.appending("app/../base"))
    #expect(bench.log.take() == [])
  }

  @Test("scratch has no base")
  func scratch() async throws {
    #expect(try await bench.resolve("scratch").images.isEmpty)
  }

  @Test("archives are bases, and their layers last as long as what was resolved")
  func archives() async throws {
    let image = try SampleImage()
    _ = try bench.layout { try image.store(in: $0) }
    let layout = try ImageLayout.open(bench.directory.path.appending("base"))
    let root = try layout.resolve()
    try OutputFile.write(bench.directory.path.appending("oci.tar")) {
      try OCIArchive.write(root, tag: "v1", from: layout, epoch: 0, to: $0)
    }
    try OutputFile.write(bench.directory.path.appending("docker.tar")) {
      try DockerArchive.write(root, names: ["base:v1"], from: layout, epoch: 0, to: $0)
    }
    for from in ["oci-archive:../oci.tar:v1", "docker-archive:../docker.tar:base:v1"] {
      let output = BlobStore(root: bench.directory.path.appending("output"))
      let bases = try await bench.resolve(from)
      let base = try #require(bases.images[amd64])
      #expect(base.layers[0].listing.members.count == 1)
      try await bases.placeLayers(in: output)
      #expect(try output.verify(base.layers[0].descriptor.digest))
      try FileSystem.removeTree(output.root)
    }
    // What was unpacked is gone, the listings are not.
    #expect(
      try FileSystem.entries(of: bench.cache.root).map { String(decoding: $0, as: UTF8.self) }
        == ["listings"])
  }

  @Test("what is not there is told with its place")
  func missing() async throws {
    let failure = await bench.failure("oci:../gone")
    #expect(failure?.text.contains("is not an image layout") == true)
    #expect(failure?.kind == .notFound)
  }

  // MARK: In a registry

  @Test("an image by tag is said with its digest; another run fetches nothing that it has")
  func registry() async throws {
    var bench = bench
    let root = try SampleImage().store(in: bench.far)
    bench.root = root
    let base = try #require(try await bench.resolve("r.example/team/base").images[amd64])
    #expect(base.name == "r.example/team/base:latest")
    #expect(base.digest == root.digest)
    #expect(
      bench.log.take() == [
        "document", "document", "from r.example/team/base:latest is \(root.digest)",
        "layer of r.example/team/base", "resolve r.example/team/base:latest",
      ])
    _ = try await bench.resolve("r.example/team/base")
    #expect(
      bench.log.take() == [
        "from r.example/team/base:latest is \(root.digest)", "resolve r.example/team/base:latest",
      ])
  }

  @Test("an image by digest is asked for once; then it needs neither network nor its layer's blob")
  func digest() async throws {
    var bench = bench
    let image = try SampleImage()
    let root = try image.store(in: bench.far)
    bench.root = root
    let from = "r.example/base:1@\(root.digest)"
    let first = try #require(try await bench.resolve(from).images[amd64])
    #expect(first.name == "r.example/base:1")
    #expect(bench.log.take().contains { $0.hasPrefix("from ") } == false)

    let layer = first.layers[0].descriptor
    try FileSystem.remove(bench.cache.path(of: layer.digest))
    let bases = try await bench.resolve(from, offline: true)
    let second = try #require(bases.images[amd64])
    #expect(
      second.layers[0].listing.members.map(\.path) == first.layers[0].listing.members.map(\.path))
    #expect(bench.log.take() == [])

    // Its blob is fetched where somebody wants it.
    let output = BlobStore(root: bench.directory.path.appending("output"))
    await #expect {
      try await bases.placeLayers(in: output)
    } throws: { ($0 as? BaseError)?.kind == .unavailable }
    try await bench.resolve(from).placeLayers(in: output)
    #expect(try output.verify(layer.digest))
    #expect(bench.log.take() == ["layer of r.example/base"])
    guard case .registry(let repository) = bases.sources[layer.digest] else {
      Issue.record("expected a registry")
      return
    }
    #expect("\(repository)" == "r.example/base")
  }

  @Test("a digest without a tag gives the name without one")
  func digestAlone() async throws {
    var bench = bench
    let root = try SampleImage().store(in: bench.far)
    bench.root = root
    let bases = try await bench.resolve("base@\(root.digest)")
    #expect(bases.images[amd64]?.name == "docker.io/library/base")
  }

  @Test(
    "with --offline, what is not in the cache is an error that says so", arguments: [false, true])
  func offline(byDigest: Bool) async throws {
    var bench = bench
    let root = try SampleImage().store(in: bench.far)
    bench.root = root
    let reference = byDigest ? "r.example/base@\(root.digest)" : "r.example/base:1"
    let failure = await bench.failure(reference, offline: true)
    #expect(
      failure?.text
        == (byDigest
          ? "\(reference) is not in the cache, and --offline forbids the network; run once without --offline"
          : BaseError.unresolvedTag(try Reference(parsing: reference)).description))
    #expect(failure?.kind == .unavailable)
    #expect(bench.log.take() == [])
  }

  @Test("a layer that platforms share is fetched once, and every base opened once")
  func sharing() async throws {
    var bench = bench
    let shared = try SampleImage.Layer([("shared", "x")])
    let manifests = try ["linux/amd64", "linux/arm64"].map { platform in
      var image = try SampleImage(platform)
      image.layers.insert(shared, at: 0)
      return try image.store(in: bench.far)
    }
    bench.root = try bench.far.putIndex(manifests)
    let bases = try await bench.resolve("r.example/base:1", platforms: "linux/amd64, linux/arm64")
    #expect(bases.images.count == 2)
    #expect(bases.images[arm64]?.digest == manifests[1].digest)
    let requests = bench.log.take()
    #expect(requests.count { $0.hasPrefix("layer") } == 3)
    #expect(requests.count { $0.hasPrefix("resolve") } == 1)
    #expect(requests.count { $0 == "document" } == 5)
    #expect(bases.sources.count == 3)
  }

  @Test("a layer's blob that was damaged in the cache is fetched again")
  func damagedBlob() async throws {
    var bench = bench
    let image = try SampleImage()
    bench.root = try image.store(in: bench.far)
    let digest = try Digest.sha256(of: image.layers[0].bytes)
    var damaged = image.layers[0].bytes
    damaged[600] ^= 1
    try bench.directory.write("cache/blobs/sha256/\(digest.hex)", damaged)
    let bases = try await bench.resolve("r.example/base:1")
    #expect(bases.images.count == 1)
    #expect(
      bench.log.take().filter { $0.hasPrefix("layer") || $0.contains("damaged") } == [
        "layer of r.example/base",
        "the cached file \(bench.cache.path(of: digest).string.quoted) is damaged; fetching it again",
      ])
    #expect(try bench.cache.verify(digest))
  }

  @Test("a damaged listing is made anew, and a damaged document fetched again")
  func damagedRecords() async throws {
    var bench = bench
    let root = try SampleImage().store(in: bench.far)
    bench.root = root
    let first = try #require(try await bench.resolve("r.example/base:1").images[amd64])
    let layer = first.layers[0].descriptor
    _ = bench.log.take()
    try bench.directory.write("cache/listings/sha256/\(layer.digest.hex)", "rubbish")
    try bench.directory.write("cache/blobs/sha256/\(root.digest.hex)", "rubbish")
    let second = try #require(try await bench.resolve("r.example/base:1").images[amd64])
    #expect(second.layers[0].listing.members.count == 1)
    #expect(LayerListing.cached(layer, in: bench.cache) != nil)
    #expect(bench.log.take().filter { !$0.contains("r.example") } == ["document"])
  }

  @Test("P1: a document that is not what its digest says is not believed")
  func wrongDocument() async throws {
    var bench = bench
    let image = try SampleImage()
    let root = try image.store(in: bench.far)
    bench.root = root
    let bytes = try bench.far.document(root.digest)
    try bench.directory.write("far/blobs/sha256/\(root.digest.hex)", bytes.dropLast() + [0x20])
    let failure = await bench.failure("r.example/base:1")
    #expect(failure?.text.contains("digest mismatch") == true)
    #expect(failure?.kind == .data)
    #expect(try bench.cache.size(of: root.digest) == nil)
  }

  @Test("what resolves to another digest than was asked for is refused")
  func wrongRoot() async throws {
    var bench = bench
    bench.root = try SampleImage().store(in: bench.far)
    let asked = try Digest.sha256(of: [])
    let failure = await bench.failure("r.example/base@\(asked)")
    #expect(failure?.text.hasPrefix("reading \(asked): digest mismatch") == true)
  }

  @Test("a bare name that is a layout beside the definition opens no socket")
  func layoutByName() async throws {
    _ = try bench.layout("app/base") { try SampleImage().store(in: $0) }
    for name in ["base", "base:latest"] {
      let failure = await bench.failure(name)
      #expect(failure?.text.hasSuffix(#"did you mean "oci:\#(name)"?"#) == true)
      #expect(failure?.kind == .notFound)
    }
    #expect(bench.log.take() == [])
  }

  @Test("a name that looks like a registry's gets a word of warning")
  func advice() async throws {
    var bench = bench
    bench.root = try SampleImage().store(in: bench.far)
    _ = try await bench.resolve("ghcr.io")
    let said = bench.log.take().filter { $0.contains("named like a registry") }
    #expect(said.count == 1)
    #expect(said.first?.hasPrefix("\(bench.directory.path)/app/image.yaml:4:7: from: ") == true)
  }

  // MARK: Layers

  @Test("P17: a layer with another DiffID than the config gives is refused, cached listing or not")
  func wrongDiffID() async throws {
    var image = try SampleImage()
    let wrong = DiffID(try Digest.sha256(of: []))
    image.change = { $1.diffIDs = [wrong] }
    let from = try bench.layout { [image] in try image.store(in: $0) }
    let layer = try Digest.sha256(of: image.layers[0].tar)
    for _ in 0..<2 {
      let failure = await bench.failure(from)
      #expect(
        failure?.text
          == "layer \(layer): expected DiffID \(wrong), as the config says, found \(layer)")
      #expect(failure?.kind == .data)
    }
  }

  @Test("X10: a layer that is cut short is refused, whatever its digest says")
  func cutLayer() async throws {
    var image = try SampleImage()
    image.layers[0].bytes = try gzip(image.layers[0].tar).dropLast(9)
    image.layers[0].type = .layerGzip
    let failure = await bench.failure(try bench.layout { [image] in try image.store(in: $0) })
    #expect(failure?.text.contains("ends early") == true)
    #expect(failure?.kind == .data)
  }

  @Test("a damaged layer of a layout is refused")
  func damagedLayer() async throws {
    let image = try SampleImage()
    let from = try bench.layout { try image.store(in: $0) }
    let digest = try Digest.sha256(of: image.layers[0].bytes)
    try bench.directory.write(
      "base/blobs/sha256/\(digest.hex)", image.layers[0].bytes.dropLast() + [1])
    let failure = await bench.failure(from)
    #expect(failure?.text.contains("digest mismatch") == true)
  }

  @Test("a layer that unpacks to much, within the limits, is listed")
  func bombWithinLimits() async throws {
    var image = try SampleImage([("zeros", String(repeating: "\0", count: 24 << 20))])
    image.layers[0].bytes = try gzip(image.layers[0].tar)
    image.layers[0].type = .layerGzip
    let from = try bench.layout { [image] in try image.store(in: $0) }
    let base = try #require(try await bench.resolve(from).images[amd64])
    #expect(base.layers[0].descriptor.size < 200_000)
    #expect(base.layers[0].listing.members.map(\.header.kind) == [.file(size: 24 << 20)])
  }

  @Test("layers go into the output as further names of their files")
  func placing() async throws {
    let image = try SampleImage()
    let from = try bench.layout { try image.store(in: $0) }
    let output = BlobStore(root: bench.directory.path.appending("output"))
    let bases = try await bench.resolve(from)
    try await bases.placeLayers(in: output)
    try await bases.placeLayers(in: output)
    let digest = try Digest.sha256(of: image.layers[0].bytes)
    let there = BlobStore(root: bench.directory.path.appending("base"))
    #expect(
      try FileSystem.status(of: output.path(of: digest))?.identity
        == FileSystem.status(of: there.path(of: digest))?.identity)
  }
}

func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
  try run("gzip", ["-n", "-c"], input: bytes).stdout
}
