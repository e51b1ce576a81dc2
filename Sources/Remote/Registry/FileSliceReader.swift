import Bindings
import NIOCore
import OCISpec
import SystemPackage
import Workers

/// A piece of a file as a request's body, read on a worker thread and hashed on the way. The last chunk is handed
/// over only after the whole was found right, so that no registry gets all of the wrong bytes. No chunk is handed
/// over before the connection has the one before it, so that memory holds a few chunks and not what a busy machine
/// can read meanwhile.
///
/// - Throws while it is read: ``LocalCorruption``, and `FileError`.
struct FileSliceReader: AsyncSequence, Sendable {
  typealias Element = ByteBuffer

  /// Large enough that the hop to a thread costs nothing, small enough that four uploads stay below a few MiB.
  static let chunkSize: Int64 = 512 << 10

  let slice: RegistryRequest.FileSlice
  /// Told how many bytes were handed over so far.
  let progress: (@Sendable (Int64) -> Void)?

  func makeAsyncIterator() -> Iterator { Iterator(slice: slice, progress: progress) }

  struct Iterator: AsyncIteratorProtocol {
    let slice: RegistryRequest.FileSlice
    let progress: (@Sendable (Int64) -> Void)?
    private var source: OpenSlice?
    private var offset: Int64 = 0

    init(slice: RegistryRequest.FileSlice, progress: (@Sendable (Int64) -> Void)?) {
      self.slice = slice
      self.progress = progress
    }

    mutating func next() async throws -> ByteBuffer? {
      guard offset < slice.byteCount else { return nil }
      progress?(offset)
      let (known, slice, start) = (source, slice, offset)
      let (opened, chunk) = try await withBlockingWork {
        let opened = try known ?? OpenSlice(slice)
        return (opened, try opened.chunk(at: start))
      }
      source = opened
      // While this chunk was read the last one went out.
      if start > 0 { try await Connections.catchUp() }
      offset += Int64(chunk.readableBytes)
      if offset == slice.byteCount { progress?(offset) }
      return chunk
    }
  }
}

/// What stands in a file is not what its descriptor says.
struct LocalCorruption: Error, Equatable {
  let path: FilePath
}

/// The open file behind one pass over a slice.
///
/// A class, because the file must be closed once. Not `Sendable`: one pass, one reader.
private final class OpenSlice {
  private let slice: RegistryRequest.FileSlice
  private let file: SystemPackage.FileDescriptor
  private var hash: MessageDigest?
  /// Used in turns, as the last two chunks may be on their way. One that is stays as it is and a new one takes its
  /// place; a new one for every chunk costs ten times the page faults.
  private var buffers = [ByteBuffer](repeating: ByteBuffer(), count: 3)
  private var turn = 0

  init(_ slice: RegistryRequest.FileSlice) throws {
    self.slice = slice
    file = try FileSystem.open(slice.path, .readOnly, doing: "reading")
    hash = try slice.digest.map { try MessageDigest($0.algorithm) }
  }

  deinit { try? file.close() }

  /// The bytes from an offset in the slice on; never none.
  func chunk(at offset: Int64) throws -> ByteBuffer {
    let count = Int(min(FileSliceReader.chunkSize, slice.byteCount - offset))
    turn = (turn + 1) % buffers.count
    buffers[turn].clear(minimumCapacity: count)
    try buffers[turn].writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
      var filled = 0
      while filled < count {
        let rest = UnsafeMutableRawBufferPointer(rebasing: space[filled..<count])
        let got = try FileSystem.read(
          file, at: slice.offset + offset + Int64(filled), into: rest, path: slice.path)
        guard got > 0 else { throw LocalCorruption(path: slice.path) }
        filled += got
      }
      try hash?.update(UnsafeRawBufferPointer(rebasing: space[..<count]))
      return count
    }
    if offset + Int64(count) == slice.byteCount, let found = try hash.take()?.finalize(),
      found != slice.digest
    {
      throw LocalCorruption(path: slice.path)
    }
    return buffers[turn]
  }
}
