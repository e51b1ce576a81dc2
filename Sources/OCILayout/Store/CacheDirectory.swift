import Bindings
package import Reporting
package import SystemPackage

/// Where fetched files are kept between runs: `$OCIFORGE_CACHE`, else `$XDG_CACHE_HOME/ociforge`, else
/// `$HOME/.cache/ociforge`. Where that cannot be written, a temporary one that goes with this value.
///
/// A class, because a temporary cache must be removed exactly once.
package final class CacheDirectory: Sendable {
  package let store: BlobStore
  private let temporary: TemporaryFolder?

  package var path: FilePath { store.root }
  package var isTemporary: Bool { temporary != nil }

  private init(_ path: FilePath, temporary: TemporaryFolder? = nil) {
    store = BlobStore(root: path)
    self.temporary = temporary
  }

  /// Finds the cache, makes it where it is missing, and sweeps what dead processes left in it and beside the
  /// output.
  ///
  /// - Parameters:
  ///   - output: what the caller writes; a temporary cache is made beside it, and that is reported.
  ///   - environment: the value of a variable, `nil` where it is absent or empty.
  package static func locate(
    fallbackBeside output: FilePath, reporter: Reporter,
    environment: (String) -> String? = { Bindings.environment($0) }
  ) throws -> CacheDirectory {
    // What cannot be swept is not needed: a run whose cache was beside the output may have ended long ago.
    _ = try? BlobStore.beside(output).sweep()
    let reason: String
    if let path = preferred(environment) {
      do {
        let cache = CacheDirectory(path)
        try cache.store.checkWritable()
        try cache.store.sweep()
        return cache
      } catch { reason = "\(error)" }
    } else {
      reason = "none of OCIFORGE_CACHE, XDG_CACHE_HOME and HOME names a folder"
    }
    let folder = try temporaryFolder(beside: output)
    reporter.report(
      .notice(
        "no cache that can be written (\(reason)); using a temporary one in \(folder.path.string.quoted)"
      ))
    return CacheDirectory(folder.path, temporary: folder)
  }

  /// Beside the output, or in it where it is the one folder that can be written, as a mounted volume may be.
  private static func temporaryFolder(beside output: FilePath) throws -> TemporaryFolder {
    do { return try TemporaryFolder(in: .beside(output)) } catch {
      guard let folder = try? TemporaryFolder(in: BlobStore(root: output)) else { throw error }
      return folder
    }
  }

  /// The first that is said decides. Relative paths in XDG_CACHE_HOME are to be ignored (XDG Base Directory
  /// Specification, "Environment variables"); a relative HOME leads nowhere in particular either.
  private static func preferred(_ environment: (String) -> String?) -> FilePath? {
    if let path = environment("OCIFORGE_CACHE") { return FilePath(path) }
    if let path = environment("XDG_CACHE_HOME"), path.hasPrefix("/") {
      return FilePath(path).appending("ociforge")
    }
    if let path = environment("HOME"), path.hasPrefix("/") {
      return FilePath(path).appending(".cache").appending("ociforge")
    }
    return nil
  }
}

extension BlobStore {
  /// Tries what every write begins with.
  fileprivate func checkWritable() throws {
    let (file, path) = try createTemporary()
    try? file.close()
    try FileSystem.remove(path)
    removeTemporaryDirectoryIfEmpty()
  }
}
