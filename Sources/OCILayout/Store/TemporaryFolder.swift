import Bindings
import SystemPackage

/// A folder below a store that goes with this value, or, where its process dies first, with the next sweep.
///
/// A class, because the folder must be removed exactly once.
final class TemporaryFolder: Sendable {
  let path: FilePath
  private let store: BlobStore
  private let file: FileDescriptor
  private let marker: FilePath

  init(in store: BlobStore) throws {
    self.store = store
    (file, marker) = try store.createTemporary()
    path = BlobStore.folder(of: marker)
    do { try FileSystem.createDirectories(path) } catch {
      _ = try? FileSystem.remove(marker)
      try? file.close()
      throw error
    }
  }

  deinit {
    try? FileSystem.removeTree(path)
    _ = try? FileSystem.remove(marker)
    try? file.close()
    store.removeTemporaryDirectoryIfEmpty()
  }
}
