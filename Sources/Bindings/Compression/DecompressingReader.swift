internal import CLibArchive
internal import Reporting
package import SystemPackage

/// The raw bytes of a file after decompression: what a DiffID is taken over. gzip goes through zlib, which
/// checks its checksums; bzip2, xz, lzma, zstd, lz4, compress and none through libarchive's "raw" format.
///
/// A class, not `Sendable`: libarchive keeps state for one thread.
package final class DecompressingReader {
  private enum Source {
    case gzip(GzipReader)
    case archive(OpaquePointer)
    case empty
  }

  private let source: Source
  private let file: SourceFile
  /// The compression found: `gzip`, `zstd`, …; `none` for a file that is not compressed.
  package let compression: String

  package convenience init(path: FilePath) throws {
    try self.init(try SourceFile(opening: path))
  }

  /// Reads from where the file, which is no pipe, stands.
  init(_ file: SourceFile) throws {
    self.file = file
    if try Self.startsWithGzip(file) {
      source = .gzip(try GzipReader(file))
      compression = "gzip"
      return
    }
    guard let archive = archive_read_new() else {
      throw LibraryError("libarchive", "archive_read_new", message: "out of memory")
    }
    do {
      let hasContent = try Self.open(archive, file)
      compression = archive_filter_name(archive, 0).map { String(cString: $0) } ?? "none"
      source = hasContent ? .archive(archive) : .empty
      if !hasContent { archive_read_free(archive) }
    } catch {
      archive_read_free(archive)
      throw error
    }
  }

  deinit {
    if case .archive(let archive) = source { archive_read_free(archive) }
  }

  /// Reads the next decompressed bytes.
  /// - Returns: how many; 0 at the end.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    switch source {
    case .gzip(let reader): return try reader.read(into: buffer)
    case .empty: return 0
    case .archive(let archive):
      let count = archive_read_data(archive, buffer.baseAddress, buffer.count)
      guard count >= 0 else { throw Self.broken(archive, file) }
      return count
    }
  }

  /// How many bytes of the file belong to the compressed stream; less than its size where something
  /// follows. Final once ``read(into:)`` has returned 0; `nil` where there is no stream that could end.
  package var compressedByteCount: Int64? {
    switch source {
    case .gzip(let reader): reader.byteCount
    case .archive(let archive): compression == "none" ? nil : archive_filter_bytes(archive, -1)
    case .empty: nil
    }
  }

  /// Whether a layer may come like this: one compression at most, of those that the image-spec has.
  var isLayerCompression: Bool {
    if case .archive(let archive) = source, archive_filter_count(archive) > 2 { return false }
    return ["none", "gzip", "zstd"].contains(compression)
  }

  /// For messages.
  var name: String { file.name }

  /// Whether nothing that means something follows a gzip stream; other compressions are not looked at. Asked
  /// once, after ``read(into:)`` has returned 0.
  func isRestPadding() throws -> Bool {
    if case .gzip(let reader) = source { try reader.isRestPadding() } else { true }
  }

  private static func startsWithGzip(_ file: SourceFile) throws -> Bool {
    guard let start = file.position else { return false }
    var magic: [UInt8] = [0, 0]
    let count = try magic.withUnsafeMutableBytes { try file.read(into: $0) }
    try file.seek(to: start)
    return count == 2 && magic == [0x1F, 0x8B]
  }

  /// - Returns: `false` where there is not one byte of content, which the raw format does not take.
  private static func open(_ archive: OpaquePointer, _ file: SourceFile) throws -> Bool {
    let register = [
      archive_read_support_filter_bzip2, archive_read_support_filter_xz,
      archive_read_support_filter_lzma, archive_read_support_filter_zstd,
      archive_read_support_filter_lz4, archive_read_support_filter_compress,
      archive_read_support_format_raw, archive_read_support_format_empty,
    ]
    for register in register {
      guard register(archive) == ARCHIVE_OK else { throw broken(archive, file) }
    }
    guard archive_read_open_fd(archive, file.descriptor.rawValue, 1 << 20) == ARCHIVE_OK else {
      throw broken(archive, file)
    }
    var entry: OpaquePointer?
    let code = archive_read_next_header(archive, &entry)
    guard code == ARCHIVE_OK || code == ARCHIVE_EOF else { throw broken(archive, file) }
    return code == ARCHIVE_OK
  }

  private static func broken(_ archive: OpaquePointer, _ file: SourceFile) -> LibraryError {
    LibraryError(
      "libarchive", "reading \(file.name.quoted)", code: archive_errno(archive),
      message: archiveMessage(archive), kind: .data)
  }
}
