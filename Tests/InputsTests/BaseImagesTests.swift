import Bindings
import Definition
import Inputs
import OCILayout
import OCISpec
import Reporting
import TestSupport
import Testing

@Suite("BaseImages")
struct BaseImagesTests {
  private let bench: BaseBench

  init() throws { bench = try BaseBench() }

  /// What a platform stands on, out of an index with these.
  private func chosen(_ wanted: String, of index: (BlobStore) throws -> Descriptor) async throws
    -> String?
  {
    let from = try bench.layout("base", index)
    let image = try await bench.resolve(from, platforms: wanted).images.values.first
    return image?.config.platform.description
  }

  struct Choice: Sendable, CustomTestStringConvertible {
    let name: String
    let wanted: String
    let index: [String]
    let chosen: String

    init(_ name: String, _ wanted: String, of index: [String], _ chosen: String) {
      self.name = name
      self.wanted = wanted
      self.index = index
      self.chosen = chosen
    }

    var testDescription: String { name }
  }

  static let choices = [
    Choice("the same", "linux/arm64", of: ["linux/amd64", "linux/arm64"], "linux/arm64"),
    Choice("v8 is arm64", "linux/arm64", of: ["linux/arm64/v8"], "linux/arm64/v8"),
    Choice("arm64 is v8", "linux/arm64/v8", of: ["linux/arm64"], "linux/arm64"),
    Choice("v8 does for v9", "linux/arm64/v9", of: ["linux/arm64"], "linux/arm64"),
    Choice(
      "exactly the variant", "linux/arm/v7",
      of: ["linux/arm/v5", "linux/arm/v6", "linux/arm/v7"], "linux/arm/v7"),
    Choice(
      "the nearest below", "linux/arm/v7", of: ["linux/arm/v5", "linux/arm/v6"], "linux/arm/v6"),
    Choice("arm is v7", "linux/arm", of: ["linux/arm/v6", "linux/arm/v7"], "linux/arm/v7"),
    Choice(
      "never one above", "linux/arm/v6", of: ["linux/arm/v7", "linux/arm/v5"], "linux/arm/v5"),
    Choice(
      "amd64 has variants, too", "linux/amd64/v3", of: ["linux/amd64", "linux/amd64/v4"],
      "linux/amd64"),
    Choice(
      "other systems", "windows/amd64", of: ["linux/amd64", "windows/amd64"], "windows/amd64"),
  ]

  @Test("the nearest image is chosen", arguments: choices)
  func nearest(_ choice: Choice) async throws {
    let found = try await chosen(choice.wanted) { store in
      try store.putIndex(choice.index.map { try SampleImage($0).store(in: store) })
    }
    #expect(found == choice.chosen)
  }

  @Test("where the index says no platform, the config does", arguments: choices)
  func unlabelled(_ choice: Choice) async throws {
    let found = try await chosen(choice.wanted) { store in
      try store.putIndex(
        choice.index.map { try SampleImage($0, isLabelled: false).store(in: store) })
    }
    #expect(found == choice.chosen)
  }

  @Test("indexes in an index are looked into, Docker's manifest lists, too")
  func nested() async throws {
    let found = try await chosen("linux/arm64") { store in
      var index = try store.putIndex([SampleImage("linux/arm64").store(in: store)])
      for type in [MediaType.dockerManifestList, .imageIndex, .dockerManifestList] {
        index = try store.putIndex(
          [SampleImage("linux/amd64").store(in: store), index], type)
      }
      return index
    }
    #expect(found == "linux/arm64")
  }

  @Test("P7: indexes nested deeper than 8 levels are refused", arguments: [8, 9])
  func deep(levels: Int) async throws {
    let from = try bench.layout { store in
      var entry = try SampleImage().store(in: store)
      for _ in 0..<levels { entry = try store.putIndex([entry]) }
      return entry
    }
    let failure = await bench.failure(from)
    #expect((failure == nil) == (levels == 8))
    #expect(failure?.text.hasSuffix("nested deeper than 8 levels") ?? true)
  }

  @Test("attestations and artifacts are no images")
  func attestations() async throws {
    let found = try await chosen("linux/amd64") { store in
      var attestation = try SampleImage("linux/amd64").store(in: store)
      attestation.platform = Platform(os: "unknown", architecture: "unknown")
      var artifact = try SampleImage("linux/amd64", isLabelled: false)
      let empty = try store.put(Array("{}".utf8), .empty)
      artifact.change = { manifest, _ in manifest.config = empty }
      let other = try store.put([1], MediaType(rawValue: "application/x-other"))
      return try store.putIndex([
        attestation, artifact.store(in: store), other,
        SampleImage("linux/amd64").store(in: store),
      ])
    }
    #expect(found == "linux/amd64")
  }

  @Test("where there is none, all there are are told")
  func none() async throws {
    let from = try bench.layout { store in
      try store.putIndex([
        SampleImage("linux/arm64").store(in: store), SampleImage("linux/386").store(in: store),
        SampleImage("linux/riscv64", isLabelled: false).store(in: store),
      ])
    }
    let failure = await bench.failure(from, platforms: "linux/amd64")
    #expect(
      failure?.text
        == #"the base has no image for "linux/amd64"; it has "linux/386", "linux/arm64", "linux/riscv64""#
    )
    #expect(failure?.kind == .data)
    let both = await bench.failure(from, platforms: "linux/amd64, linux/s390x")
    #expect(both?.text.split(separator: "\n").count == 2)
  }

  @Test("an image without an index must be for the platform")
  func single() async throws {
    let from = try bench.layout { try SampleImage("linux/arm/v6").store(in: $0) }
    #expect(await bench.failure(from, platforms: "linux/arm/v7") == nil)
    let failure = await bench.failure(from, platforms: "linux/amd64")
    #expect(
      failure?.text == #"the base has no image for "linux/amd64"; it has "linux/arm/v6""#)
    let empty = try bench.layout("empty") { try $0.putIndex([]) }
    #expect(await bench.failure(empty)?.text.hasSuffix("it has none at all") == true)
  }

  @Test("an index that lies about a platform is refused")
  func lyingIndex() async throws {
    let from = try bench.layout { store in
      var manifest = try SampleImage("linux/arm64").store(in: store)
      manifest.platform = Platform(os: "linux", architecture: "amd64")
      return try store.putIndex([manifest])
    }
    #expect(
      await bench.failure(from)?.text.contains(
        #"expected a config for "linux/amd64", as its index says, found one for "linux/arm64""#)
        == true)
  }

  // MARK: Documents

  @Test("Docker's types become the OCI's, bytes and digests stay, and no history is needed")
  func docker() async throws {
    var image = try SampleImage()
    image.isDocker = true
    var zstd = image.layers[0], gzipped = image.layers[0]
    gzipped.bytes = try gzip(gzipped.tar)
    gzipped.type = .dockerLayerGzip
    zstd.type = MediaType(rawValue: "application/vnd.docker.image.rootfs.diff.tar.zstd")
    image.layers[0].type = .dockerLayer
    image.layers += [gzipped, zstd]
    let from = try bench.layout { [image] store in
      try store.putIndex([image.store(in: store)], .dockerManifestList)
    }
    let base = try #require(try await bench.resolve(from).images.values.first)
    #expect(base.layers.map(\.descriptor.mediaType) == [.layer, .layerGzip, .layerZstd])
    #expect(
      base.layers.map(\.descriptor.digest)
        == (try image.layers.map { try Digest.sha256(of: $0.bytes) }))
    #expect(base.config.history.isEmpty)
  }

  struct Fault: Sendable, CustomTestStringConvertible {
    let name: String
    /// A part of what is said.
    let text: String
    let change: @Sendable (inout Manifest, inout ImageConfig, BlobStore) throws -> Void

    init(
      _ name: String, _ text: String,
      _ change: @escaping @Sendable (inout Manifest, inout ImageConfig, BlobStore) throws -> Void
    ) {
      self.name = name
      self.text = text
      self.change = change
    }

    var testDescription: String { name }
  }

  static let faults = [
    Fault("no DiffID", "expected a DiffID in its config for each of 1 layers, found 0") {
      _, config, _ in config.diffIDs = []
    },
    Fault("one layer too few", "for each of 0 layers, found 1") { manifest, _, _ in
      manifest.layers = []
    },
    Fault("a layer of an unknown type", #"found media type "application/x-tar""#) {
      manifest, _, _ in manifest.layers[0].mediaType = MediaType(rawValue: "application/x-tar")
    },
    Fault("a layer that lies elsewhere", "its bytes are not the base's to give on") {
      manifest, _, _ in
      manifest.layers[0].unknown = ["urls": .array([.string("https://example.com/x")])]
    },
    Fault("a layer not to be distributed", "bases with such layers are not supported") {
      manifest, _, _ in
      manifest.layers[0].mediaType = MediaType(
        rawValue: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")
    },
    Fault("Docker's foreign layer", "bases with such layers are not supported") {
      manifest, _, _ in
      manifest.layers[0].mediaType = MediaType(
        rawValue: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
    },
    Fault("more than 1000 layers", "expected at most 1000 layers, found more") {
      manifest, config, _ in
      manifest.layers = [Descriptor](repeating: manifest.layers[0], count: 1001)
      config.diffIDs = [DiffID](repeating: config.diffIDs[0], count: 1001)
    },
    Fault("a layer named by sha512", "expected a sha256 digest") { manifest, _, _ in
      manifest.layers[0].digest = try Digest.of([], by: .sha512)
    },
    Fault("a layer of another size", "its descriptor says 1 bytes, found") { manifest, _, _ in
      manifest.layers[0].size = 1
    },
    Fault("a config that is none", "this is no image to stand on") { manifest, _, store in
      manifest.config = try store.put(Array("{}".utf8), .empty)
    },
    Fault("a config of another size", "its descriptor says 3 bytes, found 2") {
      manifest, _, store in
      manifest.config = try store.put(Array("{}".utf8), .imageConfig)
      manifest.config.size = 3
    },
    Fault("a config that is too large", "expected at most 4194304 bytes of a document") {
      manifest, _, store in
      manifest.config = try store.put(Array("{}".utf8), .imageConfig)
      manifest.config.size = 100 << 20
    },
    Fault("a config without a platform", #"expected a member "os", found none"#) {
      manifest, _, store in
      manifest.config = try store.put(Array("{}".utf8), .imageConfig)
    },
    Fault("another type than its descriptor says", "as its descriptor says, found") {
      manifest, _, _ in manifest.mediaType = .dockerManifest
    },
    Fault("an index and a manifest in one", "found what may be read as both") {
      manifest, _, _ in manifest.unknown = ["manifests": .array([])]
    },
  ]

  @Test("P16, P17: what is wrong with an image's documents is refused", arguments: faults)
  func refused(_ fault: Fault) async throws {
    let from = try bench.layout { store in
      var image = try SampleImage()
      image.isLabelled = false
      image.change = { try? fault.change(&$0, &$1, store) }
      return try image.store(in: store)
    }
    let failure = await bench.failure(from)
    #expect(failure?.text.contains(fault.text) == true, "\(failure?.text ?? "nothing")")
    #expect(failure?.kind == .data)
  }

  @Test("P8: an entry of an index with another size than its document is refused")
  func childSize() async throws {
    let from = try bench.layout { store in
      var manifest = try SampleImage().store(in: store)
      manifest.size += 1
      return try store.putIndex([manifest])
    }
    #expect(await bench.failure(from)?.text.contains("its descriptor says") == true)
  }

  @Test("what is neither a manifest nor an index is no base")
  func noImage() async throws {
    let from = try bench.layout {
      try $0.put(
        Array("{}".utf8),
        MediaType(rawValue: "application/vnd.docker.distribution.manifest.v1+json"))
    }
    #expect(
      await bench.failure(from)?.text.contains("expected an image manifest or an image index")
        == true)
  }
}
