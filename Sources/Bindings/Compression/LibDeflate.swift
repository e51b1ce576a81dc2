internal import CLibDeflate

/// libdeflate's raw DEFLATE compressor for whole buffers. One per thread.
///
/// A class, because it owns a C allocation and lives as long as the encoder that uses it.
package final class LibDeflateCompressor {
  private let handle: OpaquePointer

  /// - Parameter level: 1 to 12.
  package init(level: Int32) throws(LibraryError) {
    guard let handle = libdeflate_alloc_compressor(level) else {
      throw LibraryError(
        "libdeflate", "libdeflate_alloc_compressor", message: "no compressor for level \(level)")
    }
    self.handle = handle
  }

  deinit { libdeflate_free_compressor(handle) }

  /// How many bytes `compress` may need for an input of this size.
  package func bound(_ byteCount: Int) -> Int {
    libdeflate_deflate_compress_bound(handle, byteCount)
  }

  /// Compresses all of `input` into one complete DEFLATE stream at the start of `output`.
  /// - Returns: the stream's length in bytes.
  package func compress(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(LibraryError) -> Int {
    let count = libdeflate_deflate_compress(
      handle, input.baseAddress, input.count, output.baseAddress, output.count)
    guard count > 0 else {
      throw LibraryError(
        "libdeflate", "libdeflate_deflate_compress",
        message: "output of \(output.count) bytes is too small")
    }
    return count
  }
}

/// CRC-32 as gzip uses it, continued from `previous` (0 to begin).
package func crc32(_ bytes: UnsafeRawBufferPointer, continuing previous: UInt32 = 0) -> UInt32 {
  libdeflate_crc32(previous, bytes.baseAddress, bytes.count)
}
