package import Bindings
package import OCISpec
import Reporting
import SystemPackage

/// One entry of a layer.
package struct LayerMember: Sendable {
  package enum Whiteout: Sendable, Hashable {
    /// `.wh.name`: what lower layers have at this path is gone.
    case remove(ImagePath)
    /// `.wh..wh..opq`: what lower layers have in this directory is gone.
    case opaque(ImagePath)
  }

  package let path: ImagePath
  /// With the path in its one spelling, and a hardlink's target too.
  package let header: TarHeader
  /// Sorted by the names' bytes.
  package let xattrs: [(name: [UInt8], value: [UInt8])]
  /// The entry's number in the layer, from 0.
  package let ordinal: Int
  /// What this entry takes away, where it is a whiteout.
  package let whiteout: Whiteout?
}

/// Reads the entries of a layer's blob one by one, compressed or not, in constant memory.
///
/// Names that would leave the image (absolute, `..`) are errors, not repaired. A class, not `Sendable`:
/// libarchive keeps state for one thread.
package final class LayerReader {
  package let layer: Descriptor
  /// `nil` for a stream of no bytes, which libarchive does not take for a tar, though everyone else does.
  private let archive: ArchiveReader?
  private let emptyDigest: Digest?
  private var count = 0

  /// registry.md F.1.
  package static let maximumEntryCount = 5_000_000

  /// - Parameter hashing: takes the DiffID by this algorithm on the way, and holds the layer against `limits`.
  package init(
    store: BlobStore, layer: Descriptor, hashing: Digest.Algorithm? = nil,
    limits: ValidationLimits = ValidationLimits()
  ) throws {
    self.layer = layer
    let path = store.path(of: layer.digest)
    do {
      archive =
        if let hashing {
          try ArchiveReader(
            layer: path, hashing: hashing, limit: limits.layerSize(compressed: layer.size))
        } else { try ArchiveReader(path: path, format: .tar) }
      emptyDigest = nil
    } catch {
      guard error.kind == .data, try Self.isEmptyStream(path) else { throw error }
      archive = nil
      emptyDigest = try hashing.map { try Digest.of([], by: $0) }
    }
  }

  /// The digest of the uncompressed tar, to the very end of it. There once ``next()`` has returned `nil`, where
  /// it was to be taken.
  package var diffID: DiffID? { (archive?.streamDigest ?? emptyDigest).map(DiffID.init) }

  /// The next entry, or `nil` at the end. Content that was not read is skipped.
  package func next() throws -> LayerMember? {
    guard let member = try archive?.next() else { return nil }
    let path = try imagePath(member.header.path)
    if let type = member.unsupportedType {
      throw LayerError.unsupportedType(layer: layer.digest, path, type)
    }
    var header = member.header
    header.path = path.bytes
    if case .hardlink(let target) = header.kind {
      header.kind = .hardlink(target: try imagePath(Self.relative(target)).bytes)
    }
    count += 1
    guard count <= Self.maximumEntryCount else {
      throw LayerError.tooManyEntries(layer: layer.digest)
    }
    return LayerMember(
      path: path, header: header, xattrs: member.xattrs, ordinal: count - 1,
      whiteout: try LayerMember.Whiteout(at: path, of: layer.digest))
  }

  /// Reads the next bytes of the current entry's content.
  /// - Returns: how many; 0 at the content's end.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    try archive?.read(into: buffer) ?? 0
  }

  /// Where an entry of this name goes. umoci calls the root's own entry "/", and layer.md does not forbid it.
  static func place(_ name: [UInt8]) throws(ImagePathError) -> ImagePath {
    if name == [UInt8(ascii: "/")] { return .root }
    return try ImagePath(archived: name)
  }

  /// Hardlinks' targets are relative to the image's root whether or not they begin with a slash.
  static func relative(_ target: [UInt8]) -> [UInt8] {
    Array(target.drop { $0 == UInt8(ascii: "/") })
  }

  private static func isEmptyStream(_ path: FilePath) throws -> Bool {
    let reader = try DecompressingReader(path: path)
    return try withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) {
      try reader.read(into: $0) == 0
    }
  }

  private func imagePath(_ bytes: [UInt8]) throws -> ImagePath {
    do { return try Self.place(bytes) } catch {
      throw LayerError.hostileName(layer: layer.digest, error)
    }
  }
}

extension LayerMember.Whiteout {
  /// What an entry of this name takes away; `nil` where it is no whiteout.
  ///
  /// - Throws: ``LayerError/whiteout`` for one that names nothing, or lies below another.
  init?(at path: ImagePath, of layer: Digest) throws(LayerError) {
    guard Self.isMentioned(in: path.bytes), let parent = path.parent else { return nil }
    guard path.isWhiteout, !Self.isMentioned(in: parent.bytes) else {
      throw LayerError.whiteout(layer: layer, path)
    }
    if path.name == Array(".wh..wh..opq".utf8) {
      self = .opaque(parent)
      return
    }
    let name = Array(path.name.dropFirst(ImagePath.whiteoutPrefix.count))
    guard let removed = try? parent.appending(component: name), removed != parent else {
      throw LayerError.whiteout(layer: layer, path)
    }
    self = .remove(removed)
  }

  /// Whether a component begins as whiteouts do.
  private static func isMentioned(in path: [UInt8]) -> Bool {
    var isStart = true
    for index in path.indices {
      if isStart && path[index...].starts(with: ImagePath.whiteoutPrefix) { return true }
      isStart = path[index] == UInt8(ascii: "/")
    }
    return false
  }
}
