import Bindings
package import SystemPackage

/// Files on their way, and what is left of them when their process dies.
///
/// A temporary file is locked as long as its process lives. A file that nobody has locked is rubbish: its
/// writer is gone, or has not locked it yet and will see that it was removed and make another.
extension BlobStore {
  /// Removes temporary files, and folders, whose process is gone.
  /// - Returns: how many.
  @discardableResult
  package func sweep() throws -> Int { try sweepCountingWriters().removed }

  /// Sweeps; also says how many temporary files are alive, or cannot be told to be dead. Only what has a
  /// ``TemporaryName`` is looked at, and in another user's folder nothing is removed.
  func sweepCountingWriters() throws -> (removed: Int, byteCount: Int64, writers: Int) {
    let state = try temporaryDirectoryState()
    guard state == .ours || state == .anotherUsers else { return (0, 0, 0) }
    var removed = 0, byteCount: Int64 = 0, writers = 0
    for name in try temporaryDirectoryEntries() where TemporaryName.isFile(name) {
      let path = temporaryDirectory.appending(bytes: name)
      guard let status = try FileSystem.status(of: path, followSymlink: false),
        status.kind == .file
      else { continue }
      let file: FileDescriptor
      do {
        file = try FileSystem.open(
          path, state == .ours ? .readWrite : .readOnly, options: [.noFollow], doing: "reading")
      } catch {
        if error.errno != .noSuchFileOrDirectory { writers += 1 }
        continue
      }
      defer { try? file.close() }
      guard try FileSystem.lock(file, path: path, wait: false) else {
        writers += 1
        continue
      }
      guard state == .ours else { continue }
      // The folder first: with its file gone, nobody would look for it again.
      let folder = Self.folder(of: path)
      if try FileSystem.status(of: folder, followSymlink: false)?.kind == .directory {
        try? FileSystem.removeTree(folder)
      }
      if try FileSystem.remove(path) {
        removed += 1
        byteCount += status.size
      }
    }
    if state == .ours { removeTemporaryDirectoryIfEmpty() }
    return (removed, byteCount, writers)
  }

  /// The folder that belongs to a temporary file, where it has one.
  static func folder(of temporary: FilePath) -> FilePath {
    temporary.removingLastComponent().appending(
      (temporary.lastComponent?.string ?? "") + TemporaryName.folderSuffix)
  }

  func removeTemporaryDirectoryIfEmpty() {
    try? FileSystem.removeEmptyDirectory(temporaryDirectory)
  }

  /// A new temporary file, locked; the caller renames or removes it.
  func createTemporary() throws -> (file: FileDescriptor, path: FilePath) {
    for _ in 0..<100 {
      let path = temporaryDirectory.appending(TemporaryName.random())
      let file: FileDescriptor
      do {
        try makeTemporaryDirectory()
        file = try FileSystem.open(
          path, .readWrite, options: [.create, .exclusiveCreate], mode: 0o644, doing: "writing")
      } catch {
        // The folder went, or came, between two of our calls: others sweep and write here too.
        let errno = (error as? FileError)?.errno
        guard errno == .fileExists || errno == .noSuchFileOrDirectory else { throw error }
        continue
      }
      do {
        if try FileSystem.lock(file, path: path, wait: false),
          try FileSystem.status(of: path) != nil
        {
          return (file, path)
        }
      } catch {
        _ = try? FileSystem.remove(path)
        try? file.close()
        throw error
      }
      try? file.close()
    }
    throw FileError("writing", temporaryDirectory, .resourceBusy)
  }

  /// A new file for reading and writing that has no name: it goes with its descriptor, even by `kill -9`.
  package func anonymousFile() throws -> FileDescriptor {
    let (file, path) = try createTemporary()
    do { try FileSystem.remove(path) } catch {
      try? file.close()
      throw error
    }
    removeTemporaryDirectoryIfEmpty()
    return file
  }

  /// Writes a file by way of a temporary one: `path` has its old content until all of the new one is there
  /// and synced. Its mode is 0644 whatever the umask.
  ///
  /// - Parameter path: on the store's file system.
  package func replace(_ path: FilePath, writing body: (FileDescriptor) throws -> Void) throws {
    let (file, temporary) = try createTemporary()
    defer {
      try? file.close()
      removeTemporaryDirectoryIfEmpty()
    }
    do {
      try body(file)
      try FileSystem.setMode(temporary, 0o644)
      try FileSystem.sync(file, path: path)
      try FileSystem.rename(temporary, to: path)
    } catch {
      _ = try? FileSystem.remove(temporary)
      throw error
    }
  }
}
