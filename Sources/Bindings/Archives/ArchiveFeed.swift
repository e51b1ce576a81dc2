internal import CLibArchive
internal import OCISpec
internal import Reporting

/// A decompressed stream on its way into libarchive, whose own gzip filter checks neither checksums nor where
/// the stream ends. What goes wrong here is kept until libarchive has returned.
///
/// A class: libarchive calls back into it and needs a stable address.
final class ArchiveFeed {
  private let reader: DecompressingReader
  /// What goes through, while it goes.
  private var hash: MessageDigest?
  /// How many bytes may still come.
  private var allowance: Int64
  private let limit: Int64
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
  private(set) var error: (any Error)?

  /// - Parameter hashing: takes the digest of all that is unpacked, of so many bytes at most.
  init(
    _ reader: DecompressingReader, hashing: (algorithm: Digest.Algorithm, limit: Int64)? = nil
  ) throws(LibraryError) {
    self.reader = reader
    limit = hashing?.limit ?? .max
    allowance = limit
    hash = try hashing.map { hashing throws(LibraryError) in try MessageDigest(hashing.algorithm) }
  }

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
          let count = try feed.read()
          block.pointee = UnsafeRawPointer(feed.buffer.baseAddress)
          return count
        } catch {
          feed.error = error
          archive_clear_error(archive)
          return -1
        }
      }, nil)
  }

  private func read() throws -> Int {
    let count = try reader.read(into: buffer)
    allowance -= Int64(count)
    guard allowance >= 0 else {
      throw LibraryError(
        "ociforge", "reading \(reader.name.quoted)",
        message: "expected at most \(readable(byteCount: limit)) after decompression, found more",
        kind: .data)
    }
    try hash?.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    return count
  }

  /// The digest of everything that went through, asked for once, after ``finish(isStrict:)``; `nil` where it
  /// was not to be taken.
  func digest() throws(LibraryError) -> Digest? {
    guard let hash = hash.take() else { return nil }
    return try hash.finalize()
  }

  /// Reads what the archive left of its stream, so that everything in it is checked. The file's size bounds
  /// how much that can be.
  /// - Parameter isStrict: whether content behind the stream is an error.
  func finish(isStrict: Bool) throws {
    while try read() > 0 {}
    guard isStrict, try !reader.isRestPadding() else { return }
    throw LibraryError(
      "zlib", "reading \(reader.name.quoted)",
      message: "expected nothing behind the gzip stream, found other bytes", kind: .data)
  }
}
