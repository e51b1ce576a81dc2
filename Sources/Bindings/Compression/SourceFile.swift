internal import Reporting
internal import SystemPackage

/// An open file that a C library reads, with its name for messages.
///
/// A class, because a descriptor that is ours must be closed exactly once, whoever fails on the way.
final class SourceFile {
  let descriptor: FileDescriptor
  let name: String
  private let isOurs: Bool

  /// Takes a descriptor that stays the caller's.
  init(_ descriptor: FileDescriptor, name: String) {
    self.descriptor = descriptor
    self.name = name
    isOurs = false
  }

  /// Opens a regular file. Anything else is refused at once: a fifo without a writer does not hang.
  init(opening path: FilePath) throws {
    descriptor = try FileSystem.open(path, .readOnly, options: [.nonBlocking], doing: "reading")
    name = path.string
    isOurs = true
    let kind = try FileSystem.status(of: descriptor, path: path).kind
    guard kind == .file else {
      throw LibraryError(
        "file system", "reading \(name.quoted)",
        message: "expected a regular file, found a \(kind)", kind: .data)
    }
  }

  deinit {
    if isOurs { try? descriptor.close() }
  }

  /// - Returns: how many bytes were read; 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
    try FileSystem.read(descriptor, into: buffer, path: FilePath(name))
  }

  /// Where the next read begins; `nil` for a pipe, which cannot be read twice.
  var position: Int64? { try? descriptor.seek(offset: 0, from: .current) }

  func seek(to position: Int64) throws(FileError) {
    do { _ = try descriptor.seek(offset: position, from: .start) } catch {
      throw FileError("reading", name, error as? Errno ?? .ioError)
    }
  }
}
