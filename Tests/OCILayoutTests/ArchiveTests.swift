import Bindings
import Foundation
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("Archives of layouts")
struct ArchiveTests {
  private let folder: TemporaryDirectory
  private let layout: ImageLayout

  init() throws {
    folder = try TemporaryDirectory()
    layout = try ImageLayout.create(folder.path.appending("layout"))
  }

  private var scratch: FilePath { folder.path.appending("scratch") }

  @Test("have these bytes: the members in order as plain ustar headers")
  func bytes() throws {
    let image = try SmallImage.store(in: layout.store)
    var archive: [UInt8] = []
    try OCIArchive.write(image, tag: "v1", from: layout, epoch: 7) { archive += $0 }

    var named = image
    named.annotations[AnnotationKey.refName] = "v1"
    let index = CanonicalJSON.encode(ImageIndex(manifests: [named]).json)
    var members: [(name: String, bytes: [UInt8]?)] = [
      ("oci-layout", Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)), ("index.json", index),
      ("blobs", nil), ("blobs/sha256", nil),
    ]
    let blobs = layout.path.appending("blobs/sha256")
    for name in try FileSystem.entries(of: blobs) {
      let text = String(decoding: name, as: UTF8.self)
      members.append(
        ("blobs/sha256/\(text)", try FileSystem.readAll(blobs.appending(text), limit: 1 << 20)))
    }
    var expected: [UInt8] = []
    let writer = try ArchiveWriter { expected += $0 }
    for (name, bytes) in members {
      try writer.writeHeader(
        TarHeader(
          path: Array(name.utf8), kind: bytes.map { .file(size: Int64($0.count)) } ?? .directory,
          mode: bytes == nil ? 0o755 : 0o644, uid: 0, gid: 0, mtime: 7))
      if let bytes { try bytes.withUnsafeBytes { try writer.write($0) } }
      try writer.finishEntry()
    }
    try writer.close()
    #expect(archive == expected)
  }

  private struct Stop: Error {}

  @Test("hold blobs of 8 GiB and more")
  func largeBlobs() throws {
    // Never hashed, as the sink stops before the end.
    let digest = try Digest(.sha256, hex: String(repeating: "0", count: 64)), size: Int64 = 8 << 30
    let file = try folder.write("layout/blobs/sha256/\(digest.hex)", "")
    #expect(truncate(file.string, off_t(size)) == 0)
    let config = ImageConfig(platform: Platform(os: "linux", architecture: "amd64"), diffIDs: [])
    let manifest = try SmallImage.put(
      Manifest(
        config: SmallImage.put(config.json, .imageConfig, in: layout.store),
        layers: [Descriptor(mediaType: .layer, digest: digest, size: size)]
      ).json, .imageManifest, in: layout.store)
    for isDocker in [false, true] {
      var start: [UInt8] = []
      let sink: ArchiveWriter.Sink = {
        start += $0
        if start.count > 1 << 20 { throw Stop() }
      }
      #expect(throws: Stop.self) {
        if isDocker {
          try DockerArchive.write(manifest, names: [], from: layout, epoch: 0, to: sink)
        } else {
          try OCIArchive.write(manifest, tag: nil, from: layout, epoch: 0, to: sink)
        }
      }
      let archive = try folder.write("start.tar", start)
      let reader = try ArchiveReader(path: archive, format: .tar)
      var sizes: [String: TarHeader.Kind] = [:]
      while sizes["blobs/sha256/\(digest.hex)"] == nil, let member = try reader.next() {
        sizes[String(decoding: member.header.path, as: UTF8.self)] = member.header.kind
      }
      #expect(sizes["blobs/sha256/\(digest.hex)"] == .file(size: size))
    }
  }

  @Test("come back as they were, whichever kind they are")
  func roundTrip() throws {
    let image = try SmallImage.store(in: layout.store)
    let oci = folder.path.appending("oci.tar"), docker = folder.path.appending("docker.tar")
    try OutputFile.write(oci) {
      try OCIArchive.write(image, tag: "v1", from: layout, epoch: 0, to: $0)
    }
    try OutputFile.write(docker) {
      try DockerArchive.write(image, names: ["app"], from: layout, epoch: 0, to: $0)
    }
    let one = try ImageSource.open(.ociArchive(oci, tag: "v1"), scratch: scratch)
    #expect(one.root.digest == image.digest)
    let other = try ImageSource.open(.dockerArchive(docker, name: "app"), scratch: scratch)
    #expect(other.root.digest == image.digest)
  }

  @Test("a docker archive's compressed layer is held against its DiffID")
  func wrongDiffID() throws {
    let image = try SmallImage.store(in: layout.store)
    var manifest = try layout.manifest(image).body
    let other = try SmallImage.gzip(SmallImage.tar([("etc/greeting", Array("evil".utf8))]))
    manifest.layers = [try SmallImage.put(other, .layerGzip, in: layout.store)]
    let wrong = try SmallImage.put(manifest.json, .imageManifest, in: layout.store)
    let archive = folder.path.appending("docker.tar")
    try OutputFile.write(archive) {
      try DockerArchive.write(wrong, names: ["app"], from: layout, epoch: 0, to: $0)
    }
    let error = #expect(throws: (any Error).self) {
      try ImageSource.open(.dockerArchive(archive, name: "app"), scratch: scratch)
    }
    #expect((error as? any Failure)?.kind == .data)
    let text = error.map { "\($0)" } ?? ""
    #expect(
      text.hasPrefix("reading archive \"\(archive)\": expected a layer with DiffID sha256:"),
      "\(text)")
    #expect(try FileSystem.status(of: scratch.appending(".ociforge")) == nil)
  }
}
