package import NIOCore
package import NIOHTTP1

/// Answers requests. It may block its thread: the front end calls it on the pool for that.
///
/// One that throws ends the connection without an answer; ``ConnectionReset`` does so rudely.
package typealias RequestHandler = @Sendable (ServerRequest) async throws -> ServerResponse

/// A request whose head has been read; its body comes as the handler asks for it.
package struct ServerRequest {
  package var method: HTTPMethod
  /// Path and query as they were sent.
  package var target: String
  package var headers: HTTPHeaders
  package var body: RequestBody

  package init(
    method: HTTPMethod, target: String, headers: HTTPHeaders, body: RequestBody = .empty
  ) {
    self.method = method
    self.target = target
    self.headers = headers
    self.body = body
  }

  /// What Content-Length says.
  package var contentLength: Int64? {
    headers.first(name: "Content-Length").flatMap { Int64($0) }
  }
}

/// The bytes of a request in the pieces they come in, read once.
///
/// A class, because whoever reads moves the one position there is. Not `Sendable`: one reader.
package final class RequestBody {
  private let source: () async throws -> ByteBuffer?
  package private(set) var isAtEnd = false

  /// - Parameter source: gives the next piece; `nil` at the end of a body that is complete.
  package init(_ source: @escaping () async throws -> ByteBuffer?) { self.source = source }

  package static var empty: RequestBody { RequestBody { nil } }

  /// The next piece; `nil` at the end. Nothing is read from the connection before it is asked for.
  package func next() async throws -> ByteBuffer? {
    guard !isAtEnd else { return nil }
    let piece = try await source()
    if piece == nil { isAtEnd = true }
    return piece
  }

  /// Reads on and throws away, up to a limit.
  package func skip(upTo limit: Int64) async throws {
    var skipped: Int64 = 0
    while skipped <= limit, let piece = try await next() { skipped += Int64(piece.readableBytes) }
  }
}
