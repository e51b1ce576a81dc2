internal import CLibArchive
internal import Reporting
package import SystemPackage

/// One member of an archive, as the archive spells it.
package struct ArchiveMember: Sendable {
  package var header: TarHeader
  /// Extended attributes in the order of their names' bytes.
  package var xattrs: [(name: [UInt8], value: [UInt8])]
  /// What the archive says this is, where it is nothing that an image can hold (a socket, an unknown type).
  package var unsupportedType: String?
}

/// libarchive's reader over a file: tar, zip, cpio and ar through gzip, bzip2, xz, lzma, zstd, lz4 and
/// compress, each registered by name. Nothing that runs a program, no format beyond these.
///
/// A class, not `Sendable`: libarchive keeps state for one thread.
package final class ArchiveReader {
  private let archive: OpaquePointer
  private let file: String

  package enum Format: Sendable {
    /// Everything that an input may come as.
    case anyArchive
    /// A layer: a tar, compressed or not.
    case tar
  }

  package convenience init(path: FilePath, format: Format = .anyArchive) throws(LibraryError) {
    try self.init(name: path.string, format: format) { archive in
      path.withPlatformString { archive_read_open_filename(archive, $0, 1 << 20) }
    }
  }

  /// Reads from a descriptor that stays the caller's.
  package convenience init(
    descriptor: FileDescriptor, name: String, format: Format = .anyArchive
  ) throws(LibraryError) {
    try self.init(name: name, format: format) {
      archive_read_open_fd($0, descriptor.rawValue, 1 << 20)
    }
  }

  private init(
    name: String, format: Format, open: (OpaquePointer) -> Int32
  ) throws(LibraryError) {
    guard let archive = archive_read_new() else {
      throw LibraryError("libarchive", "archive_read_new", message: "out of memory")
    }
    self.archive = archive
    self.file = name
    let filters = [
      archive_read_support_filter_gzip, archive_read_support_filter_bzip2,
      archive_read_support_filter_xz, archive_read_support_filter_lzma,
      archive_read_support_filter_zstd, archive_read_support_filter_lz4,
      archive_read_support_filter_compress,
    ]
    let formats = [
      archive_read_support_format_tar, archive_read_support_format_zip,
      archive_read_support_format_cpio, archive_read_support_format_ar,
    ]
    // A filter answers ARCHIVE_WARN where it would run a program; it is then not there for us.
    for register in filters + (format == .tar ? [formats[0]] : formats) {
      guard register(archive) == ARCHIVE_OK else {
        throw LibraryError(
          "libarchive", "registering formats and filters", message: archiveMessage(archive))
      }
    }
    let code = open(archive)
    guard code == ARCHIVE_OK else { throw broken("opening", code) }
  }

  deinit { archive_read_free(archive) }

  /// The next member, or `nil` at the end. The previous one's content, where it was not read, is skipped.
  package func next() throws(LibraryError) -> ArchiveMember? {
    var entry: OpaquePointer?
    let code = archive_read_next_header(archive, &entry)
    if code == ARCHIVE_EOF { return nil }
    // A warning comes with names that the C locale cannot convert; the raw bytes are what we take anyway.
    guard code == ARCHIVE_OK || code == ARCHIVE_WARN, let entry else {
      throw broken("reading a header", code)
    }
    guard let name = archive_entry_pathname(entry) else {
      throw LibraryError(
        "libarchive", "reading \(file.quoted)", message: "a member without a name", kind: .data)
    }
    return member(entry, path: bytesUpToNul(name))
  }

  /// Reads the next bytes of the current member into `buffer`.
  /// - Returns: how many; 0 at the member's end.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(LibraryError) -> Int {
    let count = archive_read_data(archive, buffer.baseAddress, buffer.count)
    guard count >= 0 else { throw broken("reading a member", Int32(count)) }
    return count
  }

  private func member(_ entry: OpaquePointer, path: [UInt8]) -> ArchiveMember {
    var unsupported: String?
    let kind: TarHeader.Kind
    if let target = archive_entry_hardlink(entry) {
      kind = .hardlink(target: bytesUpToNul(target))
    } else {
      switch UInt32(archive_entry_filetype(entry)) {
      case UInt32(S_IFREG): kind = .file(size: archive_entry_size(entry))
      case UInt32(S_IFDIR): kind = .directory
      case UInt32(S_IFLNK):
        kind = .symlink(target: archive_entry_symlink(entry).map(bytesUpToNul) ?? [])
      case UInt32(S_IFCHR):
        kind = .characterDevice(
          major: UInt32(truncatingIfNeeded: archive_entry_rdevmajor(entry)),
          minor: UInt32(truncatingIfNeeded: archive_entry_rdevminor(entry)))
      case UInt32(S_IFBLK):
        kind = .blockDevice(
          major: UInt32(truncatingIfNeeded: archive_entry_rdevmajor(entry)),
          minor: UInt32(truncatingIfNeeded: archive_entry_rdevminor(entry)))
      case UInt32(S_IFIFO): kind = .fifo
      case UInt32(S_IFSOCK):
        kind = .fifo
        unsupported = "a socket"
      case let type:
        // ar members, whose headers have no type bits, are plain files.
        kind = .file(size: archive_entry_size(entry))
        if type != 0 { unsupported = "a member of unknown type" }
      }
    }
    let header = TarHeader(
      path: path, kind: kind, mode: UInt32(archive_entry_perm(entry)) & 0o7777,
      uid: archive_entry_uid(entry), gid: archive_entry_gid(entry),
      mtime: Int64(archive_entry_mtime(entry)))
    return ArchiveMember(header: header, xattrs: xattrs(of: entry), unsupportedType: unsupported)
  }

  private func xattrs(of entry: OpaquePointer) -> [(name: [UInt8], value: [UInt8])] {
    var found: [(name: [UInt8], value: [UInt8])] = []
    archive_entry_xattr_reset(entry)
    var name: UnsafePointer<CChar>?
    var value: UnsafeRawPointer?
    var count = 0
    while archive_entry_xattr_next(entry, &name, &value, &count) == ARCHIVE_OK {
      guard let name else { continue }
      found.append(
        (
          bytesUpToNul(name),
          Array(UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : count))
        ))
    }
    return found.sorted { $0.name.lexicographicallyPrecedes($1.name) }
  }

  private func broken(_ operation: String, _ code: Int32) -> LibraryError {
    // libarchive passes errno through for files that cannot be opened or read.
    let kind: FailureKind =
      switch Errno(rawValue: archive_errno(archive)) {
      case .noSuchFileOrDirectory: .notFound
      case .permissionDenied, .ioError: .cannotRead
      default: .data
      }
    return LibraryError(
      "libarchive", "\(operation) of \(file.quoted)", code: code, message: archiveMessage(archive),
      kind: kind)
  }
}
