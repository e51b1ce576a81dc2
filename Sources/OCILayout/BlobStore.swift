import Bindings
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

  package init(root: FilePath) { self.root = root }

  /// Where temporary files are, until they get their names.
  package var temporaryDirectory: FilePath { root.appending(".ociforge") }

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
  /// before the blob got its name.
  package func contains(_ descriptor: Descriptor) throws -> Bool {
    try size(of: descriptor.digest) == descriptor.size
  }

  /// Starts a new blob.
  package func ingest() throws -> BlobIngest { try BlobIngest(store: self) }

  /// Stores a document that is at hand. Storing what is there already changes nothing.
  @discardableResult
  package func put(_ bytes: [UInt8]) throws -> Digest {
    let digest = try Digest.sha256(of: bytes)
    if try size(of: digest) == Int64(bytes.count) { return digest }
    let blob = try ingest()
    try bytes.withUnsafeBytes { try blob.write($0) }
    return try blob.commit(expecting: digest).digest
  }

  /// The bytes of a document; they are hashed, and more than 4 MiB are refused (image-spec registries do the
  /// same).
  package func document(_ digest: Digest) throws -> [UInt8] {
    let bytes = try FileSystem.readAll(path(of: digest), limit: Self.maximumDocumentSize)
    let found = try Digest.sha256(of: bytes)
    guard digest.algorithm != .sha256 || found == digest else {
      throw LayoutError.corruptBlob(path(of: digest).string, expected: digest, found: found)
    }
    return bytes
  }

  package static let maximumDocumentSize = 4 << 20

  /// Removes temporary files whose process is gone.
  /// - Returns: how many.
  @discardableResult
  package func sweep() throws -> Int {
    guard try FileSystem.status(of: temporaryDirectory) != nil else { return 0 }
    var count = 0
    for name in try FileSystem.entries(of: temporaryDirectory) {
      let path = temporaryDirectory.appending(bytes: name)
      guard let file = try? FileSystem.open(path, .readWrite, doing: "reading") else { continue }
      defer { try? file.close() }
      if try FileSystem.lock(file, path: path, wait: false), try FileSystem.remove(path) {
        count += 1
      }
    }
    removeTemporaryDirectoryIfEmpty()
    return count
  }

  func removeTemporaryDirectoryIfEmpty() {
    try? FileSystem.removeEmptyDirectory(temporaryDirectory)
  }

  /// A new temporary file, locked; the caller renames or removes it. `createTemporary` and ``sweep()`` of
  /// another process may meet: a file that was swept before its lock was taken is made again.
  func createTemporary() throws -> (file: FileDescriptor, path: FilePath) {
    for _ in 0..<100 {
      try FileSystem.createDirectories(temporaryDirectory)
      let path = temporaryDirectory.appending(String(UInt64.random(in: .min ... .max), radix: 36))
      let file: FileDescriptor
      do {
        file = try FileSystem.open(
          path, .readWrite, options: [.create, .exclusiveCreate], mode: 0o644, doing: "writing")
      } catch {
        if error.errno == .fileExists || error.errno == .noSuchFileOrDirectory { continue }
        throw error
      }
      if try FileSystem.lock(file, path: path, wait: false), try FileSystem.status(of: path) != nil
      {
        return (file, path)
      }
      try? file.close()
    }
    throw FileError("writing", temporaryDirectory, .resourceBusy)
  }
}
