package import Bindings
package import OCISpec
package import SystemPackage

/// Content-addressed files below a folder: `blobs/<algorithm>/<hex>`, as an image layout has them. Layouts
/// and the cache are both this.
///
/// A blob is written to a temporary file, hashed on the way, synced, and only then gets its final name; two
/// processes may write to one store, and blobs never change. Temporary files are held with a lock that dies
/// with its process, so that ``sweep()`` can tell what a dead process left behind.
package struct BlobStore: Sendable {
  package let root: FilePath

  /// Where temporary files are, until they get their names.
  package let temporaryDirectory: FilePath

  package init(root: FilePath) { self.init(root: root, temporaryName: ".ociforge") }

  private init(root: FilePath, temporaryName: String) {
    self.root = root
    temporaryDirectory = root.appending(temporaryName)
  }

  /// A place for temporary files beside a user's own file or folder. Others may write there too, as they do
  /// in `/tmp`, so each user has one.
  package static func beside(_ path: FilePath) -> BlobStore {
    let folder = path.removingLastComponent()
    return BlobStore(
      root: folder.isEmpty ? "." : folder, temporaryName: ".ociforge-\(effectiveUserID)")
  }

  package func path(of digest: Digest) -> FilePath {
    root.appending("blobs").appending(digest.algorithm.rawValue).appending(digest.hex)
  }

  /// The size of a blob that is here, or `nil`.
  package func size(of digest: Digest) throws -> Int64? {
    guard let status = try FileSystem.status(of: path(of: digest)), status.kind == .file else {
      return nil
    }
    return status.size
  }

  /// Whether the blob is here with the size its descriptor says. Its bytes are trusted, as they were hashed
  /// before the blob got its name; ``verify(_:)`` trusts nothing.
  package func contains(_ descriptor: Descriptor) throws -> Bool {
    try size(of: descriptor.digest) == descriptor.size
  }

  /// Starts a new blob.
  package func ingest() throws -> BlobIngest { try BlobIngest(store: self) }

  /// Stores a document that is at hand. Storing what is there already changes nothing, unless its file was
  /// damaged.
  @discardableResult
  package func put(_ bytes: [UInt8]) throws -> Digest {
    let digest = try Digest.sha256(of: bytes)
    if try size(of: digest) == Int64(bytes.count), try verify(digest) { return digest }
    let blob = try ingest()
    try bytes.withUnsafeBytes { try blob.write($0) }
    return try blob.commit(expecting: digest).digest
  }

  /// The bytes of a document; they are hashed, and more than 4 MiB are refused (image-spec registries do the
  /// same).
  package func document(_ digest: Digest) throws -> [UInt8] {
    guard try size(of: digest) != nil else {
      throw LayoutError.missingBlob(digest, layout: root.string)
    }
    let bytes = try FileSystem.readAll(path(of: digest), limit: Self.maximumDocumentSize)
    let found = try Digest.of(bytes, by: digest.algorithm)
    guard found == digest else {
      throw LayoutError.corruptBlob(path(of: digest).string, expected: digest, found: found)
    }
    return bytes
  }

  package static let maximumDocumentSize = 4 << 20

  /// Hands the blob's bytes to `sink`, hashed on the way.
  ///
  /// - Throws: ``LayoutError/sizeMismatch`` before the first byte, ``LayoutError/corruptBlob`` after the last.
  package func stream(_ descriptor: Descriptor, to sink: ArchiveWriter.Sink) throws {
    let path = path(of: descriptor.digest)
    try checkSize(descriptor)
    guard descriptor.digest.algorithm == .sha256 else {
      throw LayoutError.unsupportedAlgorithm(descriptor.digest)
    }
    let file = try FileSystem.open(path, .readOnly, doing: "reading")
    defer { try? file.close() }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    var hash = try MessageDigest(.sha256)
    while case let count = try FileSystem.read(file, into: buffer, path: path), count > 0 {
      let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      try hash.update(bytes)
      try sink(bytes)
    }
    let found = try hash.finalize()
    guard found == descriptor.digest else {
      throw LayoutError.corruptBlob(path.string, expected: descriptor.digest, found: found)
    }
  }
}
