internal import CLibArchive
package import OCISpec
internal import Reporting
package import SystemPackage

/// One member of an archive, as the archive spells it.
package struct ArchiveMember: Sendable {
  package var header: TarHeader
  /// Extended attributes in the order of their names' bytes.
  package var xattrs: [(name: [UInt8], value: [UInt8])]
  /// What the archive says this is, where it is nothing that an image can hold (a socket, an unknown type).
  package var unsupportedType: String?
  /// How many bytes of content follow. A hard link may have some too: cpio gives a file's content with the
  /// last of its names, pax archives may give it with each.
  package var contentSize: Int64
}

/// libarchive's reader over a file: tar, zip, cpio and ar through gzip, bzip2, xz, lzma, zstd, lz4 and
/// compress, each registered by name. Nothing that runs a program, no format beyond these.
///
/// Whoever reads to the end knows that the archive is whole: checksums and lengths of its compression are
/// checked, and it has its own end. A class, not `Sendable`: libarchive keeps state for one thread.
package final class ArchiveReader {
  private let archive: OpaquePointer
  private let file: SourceFile
  private let format: Format
  /// Unpacks the file; `nil` where libarchive reads it as it is.
  private let feed: ArchiveFeed?
  private var hasMember = false
  private var isAtEnd = false
  /// What the unpacked stream hashes to, what follows the archive's own end included; `nil` before
  /// ``next()`` has returned `nil` and where it was not asked for.
  package private(set) var streamDigest: Digest?

  package enum Format: Sendable {
    /// Everything that an input may come as.
    case anyArchive
    /// A layer: a tar, compressed or not. What it is was settled by a digest, so an end that is missing or
    /// something behind it is no error.
    case tar
  }

  /// Reads a regular file.
  package convenience init(path: FilePath, format: Format = .anyArchive) throws(LibraryError) {
    let file: SourceFile
    do { file = try SourceFile(opening: path) } catch { throw LibraryError(error) }
    try self.init(file, format: format)
  }

  /// Reads from a descriptor that stays the caller's.
  package convenience init(
    descriptor: FileDescriptor, name: String, format: Format = .anyArchive
  ) throws(LibraryError) {
    try self.init(SourceFile(descriptor, name: name), format: format)
  }

  /// Reads a layer's blob, a tar that is plain or compressed by gzip or zstd, and takes the digest of its tar in
  /// the same pass.
  ///
  /// - Parameter limit: how many bytes may come out of the compression.
  package convenience init(
    layer path: FilePath, hashing algorithm: Digest.Algorithm, limit: Int64
  ) throws(LibraryError) {
    let file: SourceFile
    do { file = try SourceFile(opening: path) } catch { throw LibraryError(error) }
    try self.init(file, format: .tar, hashing: (algorithm, limit))
  }

  private typealias Hashing = (algorithm: Digest.Algorithm, limit: Int64)

  private init(
    _ file: SourceFile, format: Format, hashing: Hashing? = nil
  ) throws(LibraryError) {
    let isPipe = file.position == nil
    do { feed = try isPipe ? nil : Self.feed(file, hashing) } catch { throw LibraryError(error) }
    guard let archive = archive_read_new() else {
      throw LibraryError("libarchive", "archive_read_new", message: "out of memory")
    }
    self.archive = archive
    self.file = file
    self.format = format
    // A pipe cannot be looked at twice: libarchive finds out itself how it is compressed.
    for register in (isPipe ? Self.filters : []) + Self.formats(format) {
      // A filter answers ARCHIVE_WARN where it would run a program; it is then not there for us.
      guard register(archive) == ARCHIVE_OK else {
        throw LibraryError(
          "libarchive", "registering formats and filters", message: archiveMessage(archive))
      }
    }
    let code =
      feed?.open(archive) ?? archive_read_open_fd(archive, file.descriptor.rawValue, 1 << 20)
    guard code == ARCHIVE_OK else { throw broken() }
  }

  private typealias Registration = (OpaquePointer?) -> Int32

  private static var filters: [Registration] {
    [
      archive_read_support_filter_gzip, archive_read_support_filter_bzip2,
      archive_read_support_filter_xz, archive_read_support_filter_lzma,
      archive_read_support_filter_zstd, archive_read_support_filter_lz4,
      archive_read_support_filter_compress,
    ]
  }

  private static func formats(_ format: Format) -> [Registration] {
    switch format {
    case .tar: [archive_read_support_format_tar]
    case .anyArchive:
      [
        archive_read_support_format_tar, archive_read_support_format_zip,
        archive_read_support_format_cpio, archive_read_support_format_ar,
      ]
    }
  }

  private static func feed(_ file: SourceFile, _ hashing: Hashing?) throws -> ArchiveFeed? {
    let start = file.position ?? 0
    let reader = try DecompressingReader(file)
    if let hashing {
      guard reader.isLayerCompression else {
        throw LibraryError(
          "libarchive", "reading \(file.name.quoted)",
          message:
            "expected a tar, plain or compressed by gzip or zstd, found compression \(reader.compression)",
          kind: .data)
      }
      return try ArchiveFeed(reader, hashing: hashing)
    }
    if reader.compression != "none" { return try ArchiveFeed(reader) }
    try file.seek(to: start)
    return nil
  }

  deinit { archive_read_free(archive) }

  /// The next member, or `nil` at the end. The previous one's content, where it was not read, is skipped.
  package func next() throws(LibraryError) -> ArchiveMember? {
    if isAtEnd { return nil }
    var entry: OpaquePointer?
    let code = archive_read_next_header(archive, &entry)
    if code == ARCHIVE_EOF {
      isAtEnd = true
      try checkEnd()
      return nil
    }
    // A warning comes with names that the C locale cannot convert; the raw bytes are what we take anyway.
    guard code == ARCHIVE_OK || code == ARCHIVE_WARN, let entry else { throw broken() }
    hasMember = true
    guard let name = archive_entry_pathname(entry) else { throw broken("a member without a name") }
    return member(entry, path: bytesUpToNul(name))
  }

  /// Reads the next bytes of the current member, a hard link's too, into `buffer`.
  /// - Returns: how many; 0 at the member's end.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(LibraryError) -> Int {
    let count = archive_read_data(archive, buffer.baseAddress, buffer.count)
    guard count >= 0 else { throw broken() }
    return count
  }

  /// Checks what comes after the last member. libarchive takes a tar that just stops for a whole one; where
  /// it stood when it looked for the next header tells whether it found a block of zeros there.
  private func checkEnd() throws(LibraryError) {
    do { try feed?.finish(isStrict: format == .anyArchive) } catch { throw LibraryError(error) }
    streamDigest = try feed?.digest()
    guard format == .anyArchive,
      archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK == ARCHIVE_FORMAT_TAR
    else { return }
    let byteCount = archive_filter_bytes(archive, 0) - archive_read_header_position(archive)
    guard byteCount >= 512 else {
      throw broken("the archive ends without its end-of-archive blocks: it is cut off")
    }
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
    return ArchiveMember(
      header: header, xattrs: xattrs(of: entry), unsupportedType: unsupported,
      contentSize: archive_entry_size(entry))
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

  private func broken(_ problem: String? = nil) -> LibraryError {
    if let error = feed?.error { return LibraryError(error) }
    let kind: FailureKind =
      switch Errno(rawValue: archive_errno(archive)) {
      case .permissionDenied, .ioError: .cannotRead
      default: .data
      }
    return LibraryError(
      "libarchive", "reading \(file.name.quoted)", message: problem ?? self.problem, kind: kind)
  }

  /// What libarchive says, where it says something.
  private var problem: String {
    let message = archive_error_string(archive).map { String(cString: $0) } ?? ""
    guard message.isEmpty || message == "Unrecognized archive format" else { return message }
    if hasMember { return "the archive is damaged" }
    return format == .tar
      ? "expected a tar archive" : "expected a tar, zip, cpio or ar archive"
  }
}
