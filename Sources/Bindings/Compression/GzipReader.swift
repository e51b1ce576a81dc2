internal import CZlib
internal import Reporting

/// A gzip file's content, with every member's checksum and length checked, which libarchive's filter does
/// not do. Members may follow each other; anything else behind the last one is counted, not read.
///
/// zlib keeps a pointer back to its `z_stream`, so the stream lives on the heap and this is a class.
final class GzipReader {
  private let stream: UnsafeMutablePointer<z_stream>
  private let file: SourceFile
  private let input: UnsafeMutableRawBufferPointer
  private var isAtMemberEnd = false
  private var isAtEnd = false
  /// How many bytes of the file the members take; final once ``read(into:)`` has returned 0.
  private(set) var byteCount: Int64 = 0

  init(_ file: SourceFile) throws {
    self.file = file
    input = .allocate(byteCount: 1 << 17, alignment: 16)
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let code = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else { throw zlibError("inflateInit2", code, stream) }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    input.deallocate()
  }

  /// Reads the next bytes of the content.
  /// - Returns: how many; 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard !isAtEnd else { return 0 }
    stream.setOutput(buffer)
    while stream.pointee.avail_out == UInt32(buffer.count) {
      if isAtMemberEnd {
        guard try startsMember() else {
          isAtEnd = true
          return 0
        }
        inflateReset(stream)
        isAtMemberEnd = false
      }
      guard try hasInput(atLeast: 1) else {
        throw LibraryError(
          "zlib", operation, message: "the gzip stream ends early", kind: .data)
      }
      let before = stream.pointee.avail_in
      let code = inflate(stream, Z_NO_FLUSH)
      byteCount += Int64(before - stream.pointee.avail_in)
      switch code {
      case Z_STREAM_END: isAtMemberEnd = true
      case Z_OK: break
      default:
        let error = zlibError(operation, code, stream)
        guard [Z_DATA_ERROR, Z_NEED_DICT, Z_BUF_ERROR].contains(code) else { throw error }
        throw LibraryError(
          "zlib", operation, message: "the gzip stream is damaged: \(error.message)", kind: .data)
      }
    }
    return buffer.count - Int(stream.pointee.avail_out)
  }

  /// Whether nothing but zeros follows the last member, as tapes and devices leave them and gzip(1) ignores
  /// them. Asked once, after ``read(into:)`` has returned 0.
  func isRestPadding() throws -> Bool {
    while try hasInput(atLeast: 1) {
      let rest = UnsafeBufferPointer(
        start: stream.pointee.next_in, count: Int(stream.pointee.avail_in))
      guard rest.allSatisfy({ $0 == 0 }) else { return false }
      stream.pointee.avail_in = 0
    }
    return true
  }

  private var operation: String { "reading \(file.name.quoted)" }

  private func startsMember() throws -> Bool {
    guard try hasInput(atLeast: 2), let next = stream.pointee.next_in else { return false }
    return next[0] == 0x1F && next[1] == 0x8B
  }

  /// Fills the input, keeping what is left of it.
  private func hasInput(atLeast count: Int) throws -> Bool {
    var available = Int(stream.pointee.avail_in)
    if available >= count { return true }
    if available > 0, let rest = stream.pointee.next_in {
      input.copyMemory(from: UnsafeRawBufferPointer(start: rest, count: available))
    }
    while available < count {
      let room = UnsafeMutableRawBufferPointer(rebasing: input[available...])
      let added = try file.read(into: room)
      available += added
      if added == 0 { break }
    }
    stream.setInput(UnsafeRawBufferPointer(rebasing: input[..<available]))
    return available >= count
  }
}
