internal import Glibc
package import Reporting
package import SystemPackage

/// A system call's refusal, with the file it was about.
package struct FileError: Failure, Equatable {
  package let operation: String
  package let path: String
  package let errno: Errno
  package let kind: FailureKind

  package init(_ operation: String, _ path: FilePath, _ errno: Errno, kind: FailureKind? = nil) {
    self.init(operation, path.string, errno, kind: kind)
  }

  package init(_ operation: String, _ path: String, _ errno: Errno, kind: FailureKind? = nil) {
    self.operation = operation
    self.path = path
    self.errno = errno
    let isReading = operation.hasPrefix("reading")
    self.kind =
      kind
      ?? (isReading && (errno == .noSuchFileOrDirectory || errno == .notDirectory)
        ? .notFound : isReading ? .cannotRead : .cannotWrite)
  }

  package var description: String { "\(operation) \(path.quoted): \(errno)" }
}

/// What `stat` says of a file, as much of it as ociforge uses.
package struct FileStatus: Sendable, Equatable {
  package enum Kind: Sendable, Equatable, CustomStringConvertible {
    case file, directory, symlink, fifo, socket, characterDevice, blockDevice

    /// As people call it.
    package var description: String {
      switch self {
      case .file: "file"
      case .directory: "directory"
      case .symlink: "symlink"
      case .fifo: "fifo"
      case .socket: "socket"
      case .characterDevice: "character device"
      case .blockDevice: "block device"
      }
    }
  }

  package let kind: Kind
  /// In bytes.
  package let size: Int64
  /// The 12 permission bits.
  package let mode: UInt32
  /// The user's number.
  package let owner: UInt32
  /// What changes when a file's content or identity does.
  package let version: Version

  /// Which file it is, whatever its name.
  package struct Identity: Sendable, Hashable {
    let device: UInt64
    let inode: UInt64
  }

  package var identity: Identity { Identity(device: version.device, inode: version.inode) }

  package struct Version: Sendable, Equatable, Hashable {
    let device: UInt64
    let inode: UInt64
    let size: Int64
    let modified: [Int]
    let changed: [Int]
  }

  fileprivate init(_ status: stat) {
    switch status.st_mode & S_IFMT {
    case S_IFDIR: kind = .directory
    case S_IFLNK: kind = .symlink
    case S_IFIFO: kind = .fifo
    case S_IFSOCK: kind = .socket
    case S_IFCHR: kind = .characterDevice
    case S_IFBLK: kind = .blockDevice
    default: kind = .file
    }
    size = Int64(status.st_size)
    mode = status.st_mode & 0o7777
    owner = status.st_uid
    version = Version(
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
      modified: [Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec)],
      changed: [Int(status.st_ctim.tv_sec), Int(status.st_ctim.tv_nsec)])
  }
}

/// The file operations that swift-system does not offer, each throwing one kind of error.
package enum FileSystem {
  /// - Returns: `nil` where nothing has that name. A final symlink is followed only where asked.
  package static func status(
    of path: FilePath, followSymlink: Bool = true
  ) throws(FileError) -> FileStatus? {
    var status = stat()
    let result = path.withPlatformString { followSymlink ? stat($0, &status) : lstat($0, &status) }
    if result == 0 { return FileStatus(status) }
    let error = Errno(rawValue: errno)
    if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
    throw FileError("reading the status of", path, error)
  }

  package static func status(
    of file: FileDescriptor, path: FilePath
  ) throws(FileError) -> FileStatus {
    var status = stat()
    guard fstat(file.rawValue, &status) == 0 else {
      throw FileError("reading the status of", path, Errno(rawValue: errno))
    }
    return FileStatus(status)
  }

  /// Makes a directory and the missing ones above it with mode 0755 whatever the umask says.
  package static func createDirectories(_ path: FilePath, mode: UInt32 = 0o755) throws(FileError) {
    if let status = try? status(of: path), status.kind == .directory { return }
    let parent = path.removingLastComponent()
    if !parent.isEmpty && parent != path { try createDirectories(parent, mode: mode) }
    let result = path.withPlatformString { mkdir($0, mode) }
    if result == 0 {
      _ = path.withPlatformString { chmod($0, mode) }
      return
    }
    let error = Errno(rawValue: errno)
    guard error == .fileExists, let status = try? status(of: path) else {
      throw FileError("creating directory", path, error)
    }
    if status.kind != .directory { throw FileError("creating directory", path, .notDirectory) }
  }

  /// Renames over whatever has the new name, then syncs the directory, so that the name survives a crash.
  package static func rename(_ from: FilePath, to: FilePath) throws(FileError) {
    let result = from.withPlatformString { from in to.withPlatformString { Glibc.rename(from, $0) }
    }
    guard result == 0 else { throw FileError("writing", to, Errno(rawValue: errno)) }
    try syncDirectory(to.removingLastComponent())
  }

  package static func syncDirectory(_ path: FilePath) throws(FileError) {
    let directory = path.isEmpty ? FilePath(".") : path
    let file = try open(directory, .readOnly, options: [.directory], doing: "writing")
    defer { try? file.close() }
    // Some file systems do not sync directories and say EINVAL; there is nothing more to be done then.
    if fsync(file.rawValue) != 0 && errno != EINVAL {
      throw FileError("writing", directory, Errno(rawValue: errno))
    }
  }

  package static func sync(_ file: FileDescriptor, path: FilePath) throws(FileError) {
    guard fsync(file.rawValue) == 0 else {
      throw FileError("writing", path, Errno(rawValue: errno))
    }
  }

  /// - Returns: whether there was something to remove.
  @discardableResult
  package static func remove(_ path: FilePath) throws(FileError) -> Bool {
    guard path.withPlatformString({ unlink($0) }) != 0 else { return true }
    let error = Errno(rawValue: errno)
    if error == .noSuchFileOrDirectory { return false }
    throw FileError("removing", path, error)
  }

  package static func removeEmptyDirectory(_ path: FilePath) throws(FileError) {
    guard path.withPlatformString({ rmdir($0) }) != 0 else { return }
    throw FileError("removing", path, Errno(rawValue: errno))
  }

  /// Removes a directory with all it holds; symlinks are removed, not followed.
  package static func removeTree(_ path: FilePath) throws(FileError) {
    for name in try entries(of: path) {
      let child = path.appending(bytes: name)
      if try status(of: child, followSymlink: false)?.kind == .directory {
        try removeTree(child)
      } else {
        try remove(child)
      }
    }
    try removeEmptyDirectory(path)
  }

  /// The raw names in a directory without `.` and `..`, sorted bytewise.
  package static func entries(of path: FilePath) throws(FileError) -> [[UInt8]] {
    guard let directory = path.withPlatformString({ opendir($0) }) else {
      throw FileError("reading directory", path, Errno(rawValue: errno))
    }
    defer { closedir(directory) }
    var names: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = readdir(directory) else {
        guard errno == 0 else { throw FileError("reading directory", path, Errno(rawValue: errno)) }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if name != Array(".".utf8) && name != Array("..".utf8) { names.append(name) }
    }
  }

  package static func symlinkTarget(of path: FilePath) throws(FileError) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = path.withPlatformString { path in
      buffer.withUnsafeMutableBytes { buffer in
        buffer.withMemoryRebound(to: CChar.self) {
          readlink(path, $0.baseAddress.unsafelyUnwrapped, $0.count)
        }
      }
    }
    guard count >= 0 else { throw FileError("reading symlink", path, Errno(rawValue: errno)) }
    return Array(buffer.prefix(count))
  }

  /// The absolute form of a path that exists, with symlinks resolved.
  package static func absolute(_ path: FilePath) throws(FileError) -> FilePath {
    guard let resolved = path.withPlatformString({ realpath($0, nil) }) else {
      throw FileError("reading", path, Errno(rawValue: errno))
    }
    defer { free(resolved) }
    return FilePath(platformString: resolved)
  }

  package static func setMode(_ path: FilePath, _ mode: UInt32) throws(FileError) {
    guard path.withPlatformString({ chmod($0, mode) }) == 0 else {
      throw FileError("writing", path, Errno(rawValue: errno))
    }
  }

  /// Opens a file close-on-exec. `doing` begins the error's sentence: `reading`, `writing`.
  package static func open(
    _ path: FilePath, _ access: FileDescriptor.AccessMode,
    options: FileDescriptor.OpenOptions = [], mode: UInt32? = nil, doing: String
  ) throws(FileError) -> FileDescriptor {
    do {
      return try FileDescriptor.open(
        path, access, options: options.union(.closeOnExec),
        permissions: mode.map { FilePermissions(rawValue: CModeT($0)) })
    } catch {
      throw FileError(doing, path, error as? Errno ?? .ioError)
    }
  }

  private typealias CModeT = CInterop.Mode

  /// All bytes of a small file; more than `limit` of them is an error.
  package static func readAll(_ path: FilePath, limit: Int) throws(FileError) -> [UInt8] {
    let file = try open(path, .readOnly, doing: "reading")
    defer { try? file.close() }
    var bytes: [UInt8] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)
    defer { buffer.deallocate() }
    while true {
      let count = try read(file, into: buffer, path: path)
      if count == 0 { return bytes }
      bytes += buffer.prefix(count)
      guard bytes.count <= limit else {
        throw FileError("reading", path, .fileTooLarge, kind: .data)
      }
    }
  }

  /// - Returns: how many bytes were read; 0 at the end.
  package static func read(
    _ file: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer, path: FilePath
  ) throws(FileError) -> Int {
    do { return try file.read(into: buffer) } catch {
      throw FileError("reading", path, error as? Errno ?? .ioError)
    }
  }

  /// The same from an offset; the descriptor's own position stays.
  package static func read(
    _ file: FileDescriptor, at offset: Int64, into buffer: UnsafeMutableRawBufferPointer,
    path: FilePath
  ) throws(FileError) -> Int {
    do { return try file.read(fromAbsoluteOffset: offset, into: buffer) } catch {
      throw FileError("reading", path, error as? Errno ?? .ioError)
    }
  }

  package static func writeAll(
    _ file: FileDescriptor, _ bytes: UnsafeRawBufferPointer, path: FilePath
  ) throws(FileError) {
    do { _ = try file.writeAll(bytes) } catch {
      throw FileError("writing", path, error as? Errno ?? .ioError)
    }
  }

  /// Takes a lock on an open file (`flock`); it goes with the descriptor, so it cannot outlive the process.
  /// - Returns: `false` where `wait` is `false` and someone else has it.
  @discardableResult
  package static func lock(
    _ file: FileDescriptor, path: FilePath, exclusive: Bool = true, wait: Bool = true
  ) throws(FileError) -> Bool {
    while flock(file.rawValue, (exclusive ? LOCK_EX : LOCK_SH) | (wait ? 0 : LOCK_NB)) != 0 {
      switch errno {
      case EINTR: continue
      case EWOULDBLOCK where !wait: return false
      default: throw FileError("locking", path, Errno(rawValue: errno))
      }
    }
    return true
  }
}

extension FilePath {
  /// A child by the raw bytes of its name.
  package func appending(bytes name: [UInt8]) -> FilePath {
    withNulTerminated(name) { name in
      FilePath.Component(platformString: name).map { appending($0) } ?? self
    }
  }

  /// The path's raw bytes.
  package var bytes: [UInt8] { withPlatformString(bytesUpToNul) }
}

/// The value of an environment variable; empty counts as absent.
package func environment(_ name: String) -> String? {
  guard let value = getenv(name), value.pointee != 0 else { return nil }
  return String(cString: value)
}
