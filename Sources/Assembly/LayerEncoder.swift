import Bindings

/// Compresses a tar stream into one gzip member (RFC 1952), chunk by chunk at fixed offsets, so that its bytes
/// do not depend on how the stream is fed. Holds one chunk; not `Sendable`.
final class LayerEncoder {
  typealias Sink = (UnsafeRawBufferPointer) throws -> Void

  private let sink: Sink
  private let compressor: ChunkCompressor
  private let chunk: UnsafeMutableRawBufferPointer
  private var filled = 0
  private var crc: UInt32 = 0
  private var byteCount: UInt64 = 0

  init(_ format: LayerFormat, sink: @escaping Sink) throws {
    self.sink = sink
    compressor = try ChunkCompressor(format)
    chunk = .allocate(byteCount: format.chunkSize, alignment: 16)
    try emit(Self.header)
  }

  deinit { chunk.deallocate() }

  /// No name, no time, no flags, operating system unknown: nothing of the machine that wrote it.
  private static let header: [UInt8] = [0x1F, 0x8B, 0x08, 0x00, 0, 0, 0, 0, 0x00, 0xFF]

  /// Takes the next bytes of the stream.
  func write(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      // A full chunk waits for the next byte, because only then it is known not to be the last.
      if filled == chunk.count { try flush(isLast: false) }
      let count = min(rest.count, chunk.count - filled)
      let target = UnsafeMutableRawBufferPointer(rebasing: chunk[filled..<(filled + count)])
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
      filled += count
      rest = rest.dropFirst(count)
    }
  }

  /// Writes what is left and the trailer. Nothing may follow.
  func finish() throws {
    try flush(isLast: true)
    let size = UInt32(truncatingIfNeeded: byteCount)
    try emit(
      [crc, size].flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } })
  }

  private func flush(isLast: Bool) throws {
    let bytes = UnsafeRawBufferPointer(rebasing: chunk[..<filled])
    crc = crc32(bytes, continuing: crc)
    byteCount += UInt64(filled)
    try sink(try compressor.compress(bytes, isLast: isLast))
    filled = 0
  }

  private func emit(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try sink($0) } }
}
