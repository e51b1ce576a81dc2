package import Bindings
package import SystemPackage

/// A file that a command writes for its user.
package enum OutputFile {
  /// Hands `body` a sink for the file's content. A regular file gets its name when `body` has returned and
  /// everything is synced, else nothing changes; a device or a pipe is written to as it is.
  ///
  /// A file that is there but cannot be replaced, as its folder cannot be written to or it is mounted by
  /// itself (`/dev/termination-log` of a pod), is written in place. That is not atomic: readers see it grow,
  /// and where `body` throws or the process dies, what was written until then stays.
  package static func write(
    _ path: FilePath, _ body: (@escaping ArchiveWriter.Sink) throws -> Void
  ) throws {
    let status = try FileSystem.status(of: path)
    if let status, status.kind != .file { return try writeInPlace(path, body) }
    let store = BlobStore.beside(path)
    // Others' rubbish is no reason to fail.
    _ = try? store.sweep()
    let draft: (file: FileDescriptor, path: FilePath)
    do { draft = try store.createTemporary() } catch {
      guard status != nil && forbidsReplacing(error) else { throw named(error, path, store) }
      return try overwrite(path, body)
    }
    defer {
      _ = try? FileSystem.remove(draft.path)
      try? draft.file.close()
      store.removeTemporaryDirectoryIfEmpty()
    }
    try body { try FileSystem.writeAll(draft.file, $0, path: path) }
    do { try FileSystem.setMode(draft.path, 0o644) } catch { throw named(error, path, store) }
    try FileSystem.sync(draft.file, path: path)
    do { try FileSystem.rename(draft.path, to: path) } catch {
      // With the draft gone, the file has its name, and only that could not be synced.
      guard status != nil && forbidsReplacing(error),
        try FileSystem.status(of: draft.path, followSymlink: false) != nil
      else { throw error }
      try overwrite(path) { try copy(draft.file, to: $0, path: path) }
    }
  }

  /// Whether the system refuses new names, which says nothing about writing to a file that is there.
  private static func forbidsReplacing(_ error: any Error) -> Bool {
    switch (error as? FileError)?.errno {
    case .permissionDenied, .notPermitted, .readOnlyFileSystem, .resourceBusy, .improperLink: true
    default: false
    }
  }

  private static func overwrite(
    _ path: FilePath, _ body: (@escaping ArchiveWriter.Sink) throws -> Void
  ) throws {
    try writeInPlace(path, options: .truncate, isSynced: true, body)
  }

  private static func writeInPlace(
    _ path: FilePath, options: FileDescriptor.OpenOptions = [], isSynced: Bool = false,
    _ body: (@escaping ArchiveWriter.Sink) throws -> Void
  ) throws {
    let file = try FileSystem.open(path, .writeOnly, options: options, doing: "writing")
    defer { try? file.close() }
    try body { try FileSystem.writeAll(file, $0, path: path) }
    if isSynced { try FileSystem.sync(file, path: path) }
  }

  private static func copy(
    _ draft: FileDescriptor, to sink: ArchiveWriter.Sink, path: FilePath
  ) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: copyBufferByteCount, alignment: 16)
    defer { buffer.deallocate() }
    try draft.seek(offset: 0, from: .start)
    while case let count = try FileSystem.read(draft, into: buffer, path: path), count > 0 {
      try sink(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }

  private static let copyBufferByteCount = 1 << 18

  /// The error as people know it: by their file, not by the temporary one beside it.
  private static func named(_ error: any Error, _ path: FilePath, _ store: BlobStore) -> any Error {
    guard let failure = error as? FileError,
      FilePath(failure.path).starts(with: store.temporaryDirectory)
    else { return error }
    return FileError("writing", path, failure.errno)
  }
}
