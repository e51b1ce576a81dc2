package import SystemPackage

/// A file that gets its name when it is complete and synced; without a commit nothing stays.
///
/// A class, because what is behind it must be released exactly once.
package final class AtomicFile {
  private let path: FilePath
  private let temporary: FilePath
  private let file: FileDescriptor
  private var isCommitted = false

  /// Starts a file beside its later place, so that the rename stays within one file system.
  package init(_ path: FilePath) throws(FileError) {
    guard let name = path.lastComponent else {
      throw FileError("writing", path, .isDirectory)
    }
    self.path = path
    temporary = path.removingLastComponent().appending(
      ".\(name.string).\(String(UInt64.random(in: .min ... .max), radix: 36))")
    do {
      file = try FileSystem.open(
        temporary, .writeOnly, options: [.create, .exclusiveCreate], mode: 0o666, doing: "writing")
    } catch {
      throw FileError("writing", path, error.errno)
    }
  }

  deinit {
    try? file.close()
    if !isCommitted { _ = try? FileSystem.remove(temporary) }
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try FileSystem.writeAll(file, bytes, path: path)
  }

  package func commit() throws(FileError) {
    try FileSystem.sync(file, path: path)
    try FileSystem.rename(temporary, to: path)
    isCommitted = true
  }
}
