internal import CZlib
internal import Reporting

/// zlib's raw DEFLATE compressor for whole buffers (windowBits -15, memLevel 8, default strategy).
///
/// zlib keeps a pointer back to its `z_stream`, so the stream lives on the heap and this is a class.
package final class ZlibCompressor {
  private let stream: UnsafeMutablePointer<z_stream>

  /// - Parameter level: 0 to 9.
  package init(level: Int32) throws(LibraryError) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let code = deflateInit2_(
      stream, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else { throw zlibError("deflateInit2", code, stream) }
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  package func bound(_ byteCount: Int) -> Int { Int(deflateBound(stream, UInt(byteCount))) }

  /// Compresses all of `input`, given in one piece, into one complete DEFLATE stream.
  /// - Returns: the stream's length in bytes.
  package func compress(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(LibraryError) -> Int {
    deflateReset(stream)
    stream.setInput(input)
    stream.setOutput(output)
    let code = deflate(stream, Z_FINISH)
    guard code == Z_STREAM_END else { throw zlibError("deflate", code, stream) }
    return output.count - Int(stream.pointee.avail_out)
  }
}

/// Walks a complete raw DEFLATE stream block by block, decoding it on the way.
///
/// The stitching of chunks into one gzip member needs to know where the last block starts; decoding all of it
/// proves that what is published can be read back.
package final class DeflateBlockWalker {
  private let stream: UnsafeMutablePointer<z_stream>

  package init() throws(LibraryError) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let code = inflateInit2_(stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else { throw zlibError("inflateInit2", code, stream) }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  package struct Walk: Sendable {
    /// The bit, counted from the stream's first, at which the last block's header starts.
    package let lastBlockBit: Int
    /// The number of bits in the stream, up to the end of the last block.
    package let bitCount: Int
    /// How many bytes it decoded to.
    package let byteCount: Int
  }

  /// Decodes `input`, which holds exactly one DEFLATE stream, into `output`.
  package func walk(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(LibraryError) -> Walk {
    inflateReset(stream)
    stream.setInput(input)
    stream.setOutput(output)
    var lastBlock = 0
    while true {
      let code = inflate(stream, Z_BLOCK)
      guard code == Z_OK else { throw zlibError("inflate", code, stream) }
      // zlib.h, inflate(): data_type holds the number of unused bits in the last byte taken, plus 64 in the
      // last block and 128 right after a block; with 128 there are fewer than eight unused bits.
      let state = Int(stream.pointee.data_type)
      guard state & 128 != 0 else {
        throw LibraryError("zlib", "inflate", message: "the stream ends early", kind: .data)
      }
      let bit = (input.count - Int(stream.pointee.avail_in)) * 8 - (state & 7)
      if state & 64 != 0 {
        return Walk(
          lastBlockBit: lastBlock, bitCount: bit,
          byteCount: output.count - Int(stream.pointee.avail_out))
      }
      lastBlock = bit
    }
  }
}

extension UnsafeMutablePointer<z_stream> {
  func setInput(_ bytes: UnsafeRawBufferPointer) {
    pointee.next_in = UnsafeMutablePointer<UInt8>(
      mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
    pointee.avail_in = UInt32(bytes.count)
  }

  func setOutput(_ bytes: UnsafeMutableRawBufferPointer) {
    pointee.next_out = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    pointee.avail_out = UInt32(bytes.count)
  }
}

func zlibError(
  _ operation: String, _ code: Int32, _ stream: UnsafeMutablePointer<z_stream>
) -> LibraryError {
  let message = stream.pointee.msg.map { String(cString: $0) } ?? "failed"
  return LibraryError("zlib", operation, code: code, message: message)
}
