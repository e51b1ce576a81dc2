import Bindings
package import SystemPackage

/// A temporary file in a store that one stage writes and the next reads by offset. It goes with this value,
/// and where the process is killed, with the next ``BlobStore/sweep()``.
///
/// A class, because the file behind it is removed exactly once.
package final class Spool: Sendable {
  private let store: BlobStore
  private let file: FileDescriptor
  package let path: FilePath

  package init(store: BlobStore) throws {
    self.store = store
    (file, path) = try store.createTemporary()
  }

  deinit {
    _ = try? FileSystem.remove(path)
    try? file.close()
    store.removeTemporaryDirectoryIfEmpty()
  }

  package func append(_ bytes: UnsafeRawBufferPointer) throws {
    try FileSystem.writeAll(file, bytes, path: path)
  }

  /// Reads at most the buffer's size from an offset.
  /// - Returns: how many bytes; 0 at the end.
  package func read(
    at offset: Int64, into buffer: UnsafeMutableRawBufferPointer
  ) throws -> Int {
    try FileSystem.read(file, at: offset, into: buffer, path: path)
  }
}
