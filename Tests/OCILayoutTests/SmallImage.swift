import Bindings
import OCILayout
import OCISpec
import SystemPackage

/// Little images made by hand from OCISpec's values.
enum SmallImage {
  /// Stores an image with one layer, which holds one file, and returns its manifest's descriptor.
  static func store(
    in store: BlobStore, architecture: String = "amd64", file: String = "hello",
    isCompressed: Bool = true
  ) throws -> Descriptor {
    let tar = try tar([("etc/greeting", Array(file.utf8))])
    let layer = isCompressed ? try gzip(tar) : tar
    let config = ImageConfig(
      platform: Platform(os: "linux", architecture: architecture),
      diffIDs: [DiffID(try Digest.sha256(of: tar))],
      // umoci 0.4.7 stat dereferences a null pointer where a history entry has no time.
      history: [History(created: "1970-01-01T00:00:00Z", createdBy: "a test")],
      created: "1970-01-01T00:00:00Z")
    let manifest = Manifest(
      config: try put(config.json, .imageConfig, in: store),
      layers: [try put(layer, isCompressed ? .layerGzip : .layer, in: store)])
    var descriptor = try put(manifest.json, .imageManifest, in: store)
    descriptor.platform = config.platform
    return descriptor
  }

  /// Stores an index over images for two architectures.
  static func storeIndex(in store: BlobStore, file: String = "hello") throws -> Descriptor {
    let manifests = try ["amd64", "arm64"].map {
      try self.store(in: store, architecture: $0, file: file)
    }
    return try put(ImageIndex(manifests: manifests).json, .imageIndex, in: store)
  }

  static func put(_ json: JSON, _ type: MediaType, in store: BlobStore) throws -> Descriptor {
    try put(CanonicalJSON.encode(json), type, in: store)
  }

  static func put(_ bytes: [UInt8], _ type: MediaType, in store: BlobStore) throws -> Descriptor {
    Descriptor(mediaType: type, digest: try store.put(bytes), size: Int64(bytes.count))
  }

  static func tar(_ files: [(name: String, bytes: [UInt8])]) throws -> [UInt8] {
    try tar(files.map { (TarHeader.Kind.file(size: Int64($0.bytes.count)), $0.name, $0.bytes) })
  }

  static func tar(_ members: [(kind: TarHeader.Kind, name: String, bytes: [UInt8])]) throws
    -> [UInt8]
  {
    let out = Collected()
    let writer = try ArchiveWriter { out.bytes += $0 }
    for (kind, name, bytes) in members {
      try writer.writeHeader(
        TarHeader(path: Array(name.utf8), kind: kind, mode: 0o644, uid: 0, gid: 0, mtime: 0))
      try bytes.withUnsafeBytes { if !$0.isEmpty { try writer.write($0) } }
      try writer.finishEntry()
    }
    try writer.close()
    return out.bytes
  }

  final class Collected { var bytes: [UInt8] = [] }

  static func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
    let compressor = try LibDeflateCompressor(level: 6)
    var body = [UInt8](repeating: 0, count: compressor.bound(bytes.count))
    let count = try bytes.withUnsafeBytes { input in
      try body.withUnsafeMutableBytes { try compressor.compress(input, into: $0) }
    }
    let crc = bytes.withUnsafeBytes { crc32($0) }
    let trailer = [crc, UInt32(bytes.count)].flatMap { word in
      (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
    return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF] + body.prefix(count) + trailer
  }
}

/// The names of all files below a folder, sorted, to see that nothing else was left.
func files(below path: FilePath, prefix: String = "") throws -> [String] {
  try FileSystem.entries(of: path).flatMap { name in
    let text = prefix + String(decoding: name, as: UTF8.self)
    let child = path.appending(bytes: name)
    return try FileSystem.status(of: child, followSymlink: false)?.kind == .directory
      ? [text + "/"] + files(below: child, prefix: text + "/") : [text]
  }
}
