package import Bindings
package import SystemPackage

/// A file that a command writes for its user.
package enum OutputFile {
  /// Hands `body` a sink for the file's content. A regular file gets its name when `body` has returned and
  /// everything is synced, else nothing changes; a device or a pipe is written to as it is.
  package static func write(
    _ path: FilePath, _ body: (@escaping ArchiveWriter.Sink) throws -> Void
  ) throws {
    if let status = try FileSystem.status(of: path), status.kind != .file {
      let file = try FileSystem.open(path, .writeOnly, doing: "writing")
      defer { try? file.close() }
      try body { try FileSystem.writeAll(file, $0, path: path) }
      return
    }
    let store = BlobStore.beside(path)
    do {
      try store.sweep()
      try store.replace(path) { file in
        try body { try FileSystem.writeAll(file, $0, path: path) }
      }
    } catch {
      // People know the file, not the temporary one beside it.
      if let failure = error as? FileError,
        FilePath(failure.path).starts(with: store.temporaryDirectory)
      {
        throw FileError("writing", path, failure.errno)
      }
      throw error
    }
  }
}
