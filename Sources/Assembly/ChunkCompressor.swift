import Bindings
import Reporting

/// Compresses one chunk of a stream into DEFLATE blocks that can be appended to those of the chunk before:
/// the whole stream is then one gzip member, whichever thread made which chunk.
///
/// libdeflate and zlib give every chunk as a complete stream. All but the stream's last chunk are opened up:
/// the final bit of the last block is cleared and an empty stored block aligns what follows to a byte. The
/// pass that finds that bit decodes the chunk, and the result is compared with the input, so that no layer is
/// published that does not decode. A class: it owns its compressors and buffers. One per thread.
final class ChunkCompressor {
  private let format: LayerFormat
  private let libDeflate: LibDeflateCompressor
  private let zlib: ZlibCompressor
  private let walker: DeflateBlockWalker
  private let compressed: UnsafeMutableRawBufferPointer
  private let decoded: UnsafeMutableRawBufferPointer

  init(_ format: LayerFormat) throws(LibraryError) {
    self.format = format
    libDeflate = try LibDeflateCompressor(level: format.libDeflateLevel)
    zlib = try ZlibCompressor(level: format.zlibLevel)
    walker = try DeflateBlockWalker()
    let bound = max(libDeflate.bound(format.chunkSize), zlib.bound(format.shortestLibDeflateChunk))
    compressed = .allocate(byteCount: bound + Self.joint.count + 1, alignment: 16)
    decoded = .allocate(byteCount: format.chunkSize + 1, alignment: 16)
  }

  deinit {
    compressed.deallocate()
    decoded.deallocate()
  }

  /// The length of an empty stored block, and its complement.
  private static let joint: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]

  /// - Parameter chunk: at most the format's chunk size.
  /// - Returns: the chunk's blocks; valid until the next call.
  func compress(
    _ chunk: UnsafeRawBufferPointer, isLast: Bool
  ) throws(LibraryError) -> UnsafeRawBufferPointer {
    let space = UnsafeMutableRawBufferPointer(rebasing: compressed.dropLast(Self.joint.count + 1))
    let count =
      chunk.count < format.shortestLibDeflateChunk
      ? try zlib.compress(chunk, into: space) : try libDeflate.compress(chunk, into: space)
    let walk = try walker.walk(
      UnsafeRawBufferPointer(rebasing: compressed[..<count]), into: decoded)
    let result = UnsafeRawBufferPointer(rebasing: decoded[..<walk.byteCount])
    guard haveSameBytes(result, chunk) else {
      throw LibraryError(
        chunk.count < format.shortestLibDeflateChunk ? "zlib" : "libdeflate", "checking a chunk",
        message: "what was compressed does not decode to what went in")
    }
    let end = isLast ? count : openUp(walk)
    return UnsafeRawBufferPointer(rebasing: compressed[..<end])
  }

  /// Turns the complete stream in `compressed` into blocks that others can follow.
  /// - Returns: its new length in bytes.
  private func openUp(_ walk: DeflateBlockWalker.Walk) -> Int {
    compressed[walk.lastBlockBit / 8] &= ~(1 << UInt8(walk.lastBlockBit % 8))
    // RFC 1951 §3.2.4: three header bits, zero for a stored block that is not the last, then the rest of the
    // byte is skipped. What lies behind the stream's last bit must be zero for that.
    let used = walk.bitCount % 8
    var end = (walk.bitCount + 7) / 8
    if used > 0 { compressed[end - 1] &= (1 << UInt8(used)) - 1 }
    if used == 0 || used > 5 {
      compressed[end] = 0
      end += 1
    }
    for byte in Self.joint {
      compressed[end] = byte
      end += 1
    }
    return end
  }
}
