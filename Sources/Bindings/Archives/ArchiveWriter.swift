internal import CLibArchive

/// What one tar header says: layer format v1 §2.3. `path` is without leading slash; a directory's trailing
/// slash is added by the writer.
package struct TarHeader: Sendable {
  package enum Kind: Sendable, Equatable {
    case file(size: Int64)
    case directory
    case symlink(target: [UInt8])
    case hardlink(target: [UInt8])
    case characterDevice(major: UInt32, minor: UInt32)
    case blockDevice(major: UInt32, minor: UInt32)
    case fifo
  }

  package var path: [UInt8]
  package var kind: Kind
  /// The 12 permission bits.
  package var mode: UInt32
  package var uid: Int64
  package var gid: Int64
  /// Whole seconds since 1970.
  package var mtime: Int64

  package init(
    path: [UInt8], kind: Kind, mode: UInt32, uid: Int64, gid: Int64, mtime: Int64
  ) {
    self.path = path
    self.kind = kind
    self.mode = mode
    self.uid = uid
    self.gid = gid
    self.mtime = mtime
  }
}

/// libarchive's `ustar` writer, set up so that its bytes are the same in every version since 3.4: raw-byte
/// setters only, no blocking, no filters (reproducibility.md §2.5).
///
/// A class, not `Sendable`: libarchive calls back into it and needs a stable address.
package final class ArchiveWriter {
  package typealias Sink = (UnsafeRawBufferPointer) throws -> Void

  private let archive: OpaquePointer
  private let entry: OpaquePointer
  private let sink: Sink
  private var sinkError: (any Error)?
  private var remaining: Int64 = 0
  private var isClosed = false

  /// - Parameter sink: receives the tar stream in order; what it throws is thrown by the call that wrote.
  package init(sink: @escaping Sink) throws {
    guard let archive = archive_write_new(), let entry = archive_entry_new() else {
      throw LibraryError("libarchive", "archive_write_new", message: "out of memory")
    }
    self.archive = archive
    self.entry = entry
    self.sink = sink
    try check(archive_write_set_format_ustar(archive), "archive_write_set_format_ustar")
    try check(archive_write_add_filter_none(archive), "archive_write_add_filter_none")
    try check(archive_write_set_bytes_per_block(archive, 0), "archive_write_set_bytes_per_block")
    try check(
      archive_write_set_bytes_in_last_block(archive, 512), "archive_write_set_bytes_in_last_block")
    let context = Unmanaged.passUnretained(self).toOpaque()
    let code = archive_write_open(
      archive, context, nil,
      { archive, context, bytes, count in
        guard let context, let bytes else { return -1 }
        let writer = Unmanaged<ArchiveWriter>.fromOpaque(context).takeUnretainedValue()
        do {
          try writer.sink(UnsafeRawBufferPointer(start: bytes, count: count))
          return count
        } catch {
          writer.sinkError = error
          archive_clear_error(archive)
          return -1
        }
      }, nil)
    try check(code, "archive_write_open")
  }

  deinit {
    // Without a close before it, free would write the trailer through a sink that may be gone.
    if !isClosed { archive_write_fail(archive) }
    archive_write_free(archive)
    archive_entry_free(entry)
  }

  /// Writes the header of the next entry. A file's content follows through ``write(_:)``.
  package func writeHeader(_ header: TarHeader) throws {
    archive_entry_clear(entry)
    withNulTerminated(header.path + (header.kind == .directory ? [UInt8(ascii: "/")] : [])) {
      archive_entry_copy_pathname(entry, $0)
    }
    archive_entry_set_perm(entry, header.mode)
    archive_entry_set_uid(entry, header.uid)
    archive_entry_set_gid(entry, header.gid)
    archive_entry_set_mtime(entry, time_t(header.mtime), 0)
    remaining = 0
    var size: Int64 = 0
    switch header.kind {
    case .file(let byteCount):
      archive_entry_set_filetype(entry, UInt32(S_IFREG))
      size = byteCount
    case .directory: archive_entry_set_filetype(entry, UInt32(S_IFDIR))
    case .symlink(let target):
      archive_entry_set_filetype(entry, UInt32(S_IFLNK))
      withNulTerminated(target) { archive_entry_copy_symlink(entry, $0) }
    case .hardlink(let target):
      archive_entry_set_filetype(entry, UInt32(S_IFREG))
      withNulTerminated(target) { archive_entry_copy_hardlink(entry, $0) }
    case .characterDevice(let major, let minor):
      setDevice(UInt32(S_IFCHR), major, minor)
    case .blockDevice(let major, let minor):
      setDevice(UInt32(S_IFBLK), major, minor)
    case .fifo: archive_entry_set_filetype(entry, UInt32(S_IFIFO))
    }
    archive_entry_set_size(entry, size)
    remaining = size
    try check(archive_write_header(archive, entry), "archive_write_header")
  }

  /// Writes the next bytes of the current file.
  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard bytes.count <= remaining else {
      throw LibraryError(
        "libarchive", "archive_write_data",
        message: "\(bytes.count) bytes where the header leaves room for \(remaining)")
    }
    let count = archive_write_data(archive, bytes.baseAddress, bytes.count)
    guard count == bytes.count else {
      try check(count < 0 ? Int32(count) : ARCHIVE_FATAL, "archive_write_data")
      return
    }
    remaining -= Int64(count)
  }

  /// Ends the current entry; it must have received exactly the bytes its header announced. Called after
  /// every entry, so that its padding is out before anything else goes to the sink.
  package func finishEntry() throws {
    guard remaining == 0 else {
      throw LibraryError(
        "libarchive", "archive_write_finish_entry",
        message: "\(remaining) bytes of the file are missing")
    }
    try check(archive_write_finish_entry(archive), "archive_write_finish_entry")
  }

  /// Writes the trailer. Nothing may follow.
  package func close() throws {
    isClosed = true
    try check(archive_write_close(archive), "archive_write_close")
  }

  private func setDevice(_ type: UInt32, _ major: UInt32, _ minor: UInt32) {
    archive_entry_set_filetype(entry, type)
    archive_entry_set_rdevmajor(entry, dev_t(major))
    archive_entry_set_rdevminor(entry, dev_t(minor))
  }

  /// Any code but OK is fatal: a warning means other bytes than asked for.
  private func check(_ code: Int32, _ operation: String) throws {
    guard code != ARCHIVE_OK else { return }
    if let sinkError { throw sinkError }
    throw LibraryError(
      "libarchive", operation, code: code, message: archiveMessage(archive))
  }
}

func archiveMessage(_ archive: OpaquePointer) -> String {
  archive_error_string(archive).map { String(cString: $0) } ?? "failed"
}
