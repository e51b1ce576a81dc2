import Bindings
package import OCISpec
import SystemPackage

/// A blob on its way into a store. Nothing has its final name before ``commit(expecting:)`` returns; without
/// a commit the temporary file is removed when this goes.
///
/// A class, because the file behind it must be released exactly once. Not `Sendable`: one writer.
package final class BlobIngest {
  private let store: BlobStore
  private let file: FileDescriptor
  private let temporary: FilePath
  private var hash: MessageDigest?
  package private(set) var byteCount: Int64 = 0
  /// Whether the temporary file has its final name or was not needed.
  private var isGone = false

  init(store: BlobStore) throws {
    self.store = store
    (file, temporary) = try store.createTemporary()
    hash = try MessageDigest(.sha256)
  }

  deinit {
    if !isGone { _ = try? FileSystem.remove(temporary) }
    try? file.close()
    if !isGone { store.removeTemporaryDirectoryIfEmpty() }
  }

  /// Appends bytes.
  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    try hash?.update(bytes)
    try FileSystem.writeAll(file, bytes, path: temporary)
    byteCount += Int64(bytes.count)
  }

  /// Syncs the file and gives it its name. Where the store has the blob already, and undamaged, nothing
  /// changes.
  ///
  /// - Throws: ``LayoutError/digestMismatch`` where the bytes are not the ones expected; the blob is then not
  ///   in the store.
  package func commit(expecting expected: Digest? = nil) throws -> (digest: Digest, size: Int64) {
    guard let digest = try hash.take()?.finalize() else {
      preconditionFailure("a blob is committed once")
    }
    if let expected, expected != digest {
      throw LayoutError.digestMismatch(expected: expected, found: digest, byteCount: byteCount)
    }
    if try store.size(of: digest) == byteCount, try store.verify(digest) {
      try FileSystem.remove(temporary)
    } else {
      let path = store.path(of: digest)
      try FileSystem.setMode(temporary, 0o644)
      try FileSystem.sync(file, path: temporary)
      try FileSystem.createDirectories(path.removingLastComponent())
      try FileSystem.rename(temporary, to: path)
    }
    isGone = true
    store.removeTemporaryDirectoryIfEmpty()
    return (digest, byteCount)
  }
}
