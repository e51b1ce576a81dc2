import Bindings
package import NIOCore
package import NIOHTTP1
import OCISpec
import SystemPackage

/// An answer, whose body is written when the head is on its way.
package struct ServerResponse: Sendable {
  package var status: HTTPResponseStatus
  /// Without those that frame the body, unless they are to contradict it.
  package var headers: HTTPHeaders
  package var body: ResponseBody

  package init(
    _ status: HTTPResponseStatus, headers: HTTPHeaders = [:], body: ResponseBody = .empty
  ) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  static func json(
    _ value: JSON, status: HTTPResponseStatus = .ok, type: String = "application/json",
    headers: HTTPHeaders = [:]
  ) -> ServerResponse {
    var headers = headers
    headers.replaceOrAdd(name: "Content-Type", value: type)
    return ServerResponse(status, headers: headers, body: .bytes(CanonicalJSON.encode(value)))
  }
}

/// What follows a head. Pieces go out as fast as the client takes them.
package struct ResponseBody: Sendable {
  /// Waits until there is room for more.
  package typealias Sink = (ByteBuffer) async throws -> Void

  /// `nil` sends it in chunks. A body that ends with fewer bytes than it promised ends the connection.
  package var byteCount: Int64?
  /// May block its thread. What it throws ends the connection; see ``ConnectionReset``.
  package var write: @Sendable (Sink) async throws -> Void

  package init(byteCount: Int64?, write: @escaping @Sendable (Sink) async throws -> Void) {
    self.byteCount = byteCount
    self.write = write
  }

  package static let empty = ResponseBody(byteCount: 0) { _ in }

  package static func bytes(_ bytes: [UInt8]) -> ResponseBody {
    ResponseBody(byteCount: Int64(bytes.count)) { sink in
      if !bytes.isEmpty { try await sink(ByteBuffer(bytes: bytes)) }
    }
  }

  /// A part of a file. One that turns out shorter, or cannot be read, resets the connection.
  static func file(_ path: FilePath, _ range: Range<Int64>) -> ResponseBody {
    ResponseBody(byteCount: range.upperBound - range.lowerBound) { sink in
      do {
        let file = try FileSystem.open(path, .readOnly, doing: "reading")
        defer { try? file.close() }
        var offset = range.lowerBound
        while offset < range.upperBound {
          let wanted = Int(min(Int64(pieceByteCount), range.upperBound - offset))
          var piece = ByteBuffer()
          let count = try piece.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) {
            try FileSystem.read(
              file, at: offset, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted]),
              path: path)
          }
          guard count > 0 else { throw ConnectionReset() }
          offset += Int64(count)
          try await sink(piece)
        }
      } catch is FileError {
        throw ConnectionReset()
      }
    }
  }

  private static let pieceByteCount = 1 << 18
}

/// Ends a connection with a reset: what was sent so far must not pass for an answer that is complete.
package struct ConnectionReset: Error {
  package init() {}
}
