import Bindings
import NIOCore
import OCISpec
import SystemPackage
import Workers

/// A piece of a file as a request's body, read on a worker thread and hashed on the way.
struct FileSliceReader: AsyncSequence, Sendable {
  typealias Element = ByteBuffer

  private let slice: RegistryRequest.FileSlice
  private let progress: (@Sendable (Int64) -> Void)?

  init(_ slice: RegistryRequest.FileSlice, progress: (@Sendable (Int64) -> Void)?) {
    self.slice = slice
    self.progress = progress
  }

  func makeAsyncIterator() -> Iterator { Iterator(slice: slice, progress: progress) }

  static let chunkSize = 512 << 10

  struct Iterator: AsyncIteratorProtocol {
    let slice: RegistryRequest.FileSlice
    let progress: (@Sendable (Int64) -> Void)?

    private var offset: Int64 = 0

    init(slice: RegistryRequest.FileSlice, progress: (@Sendable (Int64) -> Void)?) {
      self.slice = slice
      self.progress = progress
    }

    mutating func next() async throws -> ByteBuffer? {
      let count = Int(Swift.min(Int64(FileSliceReader.chunkSize), slice.byteCount - offset))
      guard count > 0 else { return nil }
      let (path, start) = (slice.path, slice.offset + offset)
      let buffer = try await withBlockingWork {
        let file = try FileSystem.open(path, .readOnly, doing: "reading")
        defer { try? file.close() }
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) {
          try FileSystem.read(
            file, at: start, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<count]), path: path
          )
        }
        return buffer
      }
      offset += Int64(buffer.readableBytes)
      progress?(offset)
      return buffer
    }
  }
}
