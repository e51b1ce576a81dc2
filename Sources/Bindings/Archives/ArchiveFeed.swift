internal import CLibArchive
internal import Reporting

/// A decompressed stream on its way into libarchive, whose own gzip filter checks neither checksums nor where
/// the stream ends. What goes wrong here is kept until libarchive has returned.
///
/// A class: libarchive calls back into it and needs a stable address.
final class ArchiveFeed {
  private let reader: DecompressingReader
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
  private(set) var error: (any Error)?

  init(_ reader: DecompressingReader) { self.reader = reader }

  deinit { buffer.deallocate() }

  /// Makes this what `archive` reads; it must live as long as `archive` does.
  /// - Returns: libarchive's code.
  func open(_ archive: OpaquePointer) -> Int32 {
    archive_read_open(
      archive, Unmanaged.passUnretained(self).toOpaque(), nil,
      { archive, context, block in
        guard let context, let block else { return -1 }
        let feed = Unmanaged<ArchiveFeed>.fromOpaque(context).takeUnretainedValue()
        do {
          let count = try feed.reader.read(into: feed.buffer)
          block.pointee = UnsafeRawPointer(feed.buffer.baseAddress)
          return count
        } catch {
          feed.error = error
          archive_clear_error(archive)
          return -1
        }
      }, nil)
  }

  /// Reads what the archive left of its stream, so that everything in it is checked. The file's size bounds
  /// how much that can be.
  /// - Parameter isStrict: whether content behind the stream is an error.
  func finish(isStrict: Bool) throws {
    while try reader.read(into: buffer) > 0 {}
    guard isStrict, try !reader.isRestPadding() else { return }
    throw LibraryError(
      "zlib", "reading \(reader.name.quoted)",
      message: "expected nothing behind the gzip stream, found other bytes", kind: .data)
  }
}
