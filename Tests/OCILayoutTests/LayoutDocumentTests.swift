import Bindings
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("Documents of a layout")
struct LayoutDocumentTests {
  private let folder: TemporaryDirectory
  private let layout: ImageLayout

  init() throws {
    folder = try TemporaryDirectory()
    layout = try ImageLayout.create(folder.path)
  }

  @Test("come with their bytes and are checked against their descriptor")
  func reads() throws {
    let image = try SmallImage.store(in: layout.store)
    let manifest = try layout.manifest(image)
    #expect(try Digest.sha256(of: manifest.bytes) == image.digest)
    let config = try layout.config(manifest.body.config)
    #expect(config.body.platform.architecture == "amd64")

    var wrong = image
    wrong.size += 1
    #expect(
      throws: LayoutError.sizeMismatch(image.digest, expected: image.size + 1, found: image.size)
    ) { try layout.manifest(wrong) }
    #expect(throws: LayoutError.self) { try layout.imageIndex(image) }
    #expect(throws: LayoutError.self) { try layout.config(image) }
    wrong = manifest.body.config
    wrong.mediaType = .imageManifest
    let error = #expect(throws: LayoutError.self) { try layout.manifest(wrong) }
    #expect(
      error?.description
        == #"reading \#(wrong.digest): at the top: expected a member "config", found none"#)
    try folder.write("blobs/sha256/\(image.digest.hex)", manifest.bytes.reversed())
    #expect(throws: LayoutError.self) { try layout.manifest(image) }
  }

  @Test("contents walk nested indexes and skip nothing silently")
  func contents() throws {
    let inner = try SmallImage.storeIndex(in: layout.store)
    var attestation = try SmallImage.store(in: layout.store, file: "statement")
    attestation.platform = Platform(os: "unknown", architecture: "unknown")
    let other = try SmallImage.put([1, 2], MediaType(rawValue: "application/x"), in: layout.store)
    let outer = try SmallImage.put(
      ImageIndex(manifests: [inner, attestation, other]).json, .imageIndex, in: layout.store)
    let contents = try layout.contents(of: outer)
    #expect(contents.images.map(\.descriptor.platform?.architecture) == ["amd64", "arm64"])
    #expect(contents.attestations.map(\.descriptor) == [attestation])
    #expect(contents.others == [other])
    #expect(try layout.contents(of: attestation).attestations.count == 1)
    #expect(throws: LayoutError.self) { try layout.contents(of: other) }
  }

  @Test("P7: an index nested deeper than 8, or with more than 10,000 entries, is refused")
  func limits() throws {
    var index = try SmallImage.storeIndex(in: layout.store)
    for _ in 1..<8 {
      index = try SmallImage.put(ImageIndex(manifests: [index]).json, .imageIndex, in: layout.store)
    }
    #expect(try layout.contents(of: index).images.count == 2)
    let deeper = try SmallImage.put(
      ImageIndex(manifests: [index]).json, .imageIndex, in: layout.store)
    #expect(throws: LayoutError.nestedTooDeep(deeper.digest, limit: 8)) {
      try layout.contents(of: deeper)
    }
    // Few documents, very many ways through them.
    var wide = try SmallImage.storeIndex(in: layout.store)
    for _ in 0..<5 {
      wide = try SmallImage.put(
        ImageIndex(manifests: Array(repeating: wide, count: 10)).json, .imageIndex, in: layout.store
      )
    }
    #expect(throws: LayoutError.tooManyEntries(wide.digest, limit: 10_000)) {
      try layout.contents(of: wide)
    }
  }
}
