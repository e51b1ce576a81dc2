import NIOCore
import NIOHTTP1

/// One client's connection: its requests one after the other, each answered by the handler.
///
/// It moves bytes and knows nothing of registries. Reading waits for the handler and writing for the client, a
/// piece at a time, so nothing piles up.
struct HTTPConnection: Sendable {
  typealias Stream = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

  let stream: Stream
  let handler: RequestHandler

  /// Goes on until either side closes. What goes wrong on a connection ends that connection only.
  func serve() async {
    try? await stream.executeThenClose { inbound, _ in
      var parts = inbound.makeAsyncIterator()
      let next: () async throws -> HTTPServerRequestPart? = {
        try await parts.next(isolation: #isolation)
      }
      do {
        while case .head(let head) = try await next() {
          let exchange = Exchange(head, next, stream.channel)
          guard try await exchange.isAnswered(by: handler) else { return }
        }
      } catch is ConnectionReset {
        try await stream.channel.resetOnClose()
      }
    }
  }
}

/// A request and its answer on a connection.
private struct Exchange {
  let head: HTTPRequestHead
  let request: ServerRequest
  let channel: any Channel
  let pending: PendingContinue

  init(
    _ head: HTTPRequestHead, _ next: @escaping () async throws -> HTTPServerRequestPart?,
    _ channel: any Channel
  ) {
    self.head = head
    self.channel = channel
    let pending = PendingContinue(head)
    self.pending = pending
    let body = RequestBody {
      if pending.take() {
        try await channel.send(.head(HTTPResponseHead(version: .http1_1, status: .continue)))
      }
      switch try await next() {
      case .body(let piece): return piece
      case .end: return nil
      case .head, nil: throw RequestCutShort()
      }
    }
    request = ServerRequest(
      method: head.method, target: head.uri, headers: head.headers, body: body)
  }

  /// - Returns: whether the connection can take another request.
  func isAnswered(by handler: RequestHandler) async throws -> Bool {
    let response = try await handler(request)
    if hasLittleBodyLeft { try await request.body.skip(upTo: Self.littleByteCount) }
    let staysOpen = head.isKeepAlive && head.version == .http1_1 && request.body.isAtEnd
    guard try await send(response, staysOpen: staysOpen) else { return false }
    if !staysOpen && !pending.isOwed {
      // Closing on bytes that come in would reset the connection, and the answer might be lost with it.
      try await request.body.skip(upTo: Self.lingerByteCount)
    }
    return staysOpen
  }

  /// - Returns: whether the answer is complete.
  private func send(_ response: ServerResponse, staysOpen: Bool) async throws -> Bool {
    var headers = response.headers
    let hasBody = response.status.mayHaveResponseBody
    if hasBody, let count = response.body.byteCount, !headers.contains(name: "Content-Length") {
      headers.add(name: "Content-Length", value: "\(count)")
    }
    if !staysOpen { headers.replaceOrAdd(name: "Connection", value: "close") }
    let promised = headers.first(name: "Content-Length").flatMap { Int64($0) }
    try await channel.send(
      .head(HTTPResponseHead(version: .http1_1, status: response.status, headers: headers)))
    guard head.method != .HEAD && hasBody else {
      try await channel.send(.end(nil))
      return true
    }
    var sent: Int64 = 0
    try await response.body.write { piece in
      try await channel.send(.body(.byteBuffer(piece)))
      sent += Int64(piece.readableBytes)
    }
    guard promised == nil || promised == sent else { return false }
    try await channel.send(.end(nil))
    return true
  }

  /// Whether reading the rest of the request costs less than another connection would.
  private var hasLittleBodyLeft: Bool {
    if head.headers.contains(name: "Transfer-Encoding") || pending.isOwed { return false }
    return (request.contentLength ?? 0) <= Self.littleByteCount
  }

  private static let littleByteCount: Int64 = 64 << 10
  private static let lingerByteCount: Int64 = 64 << 20
}

/// The client stopped in the middle of a request.
private struct RequestCutShort: Error {}

/// Whether a client waits for `100 Continue` before it sends a body: RFC 9110, section 10.1.1.
///
/// A class, because the body and the exchange look at the same one.
private final class PendingContinue {
  private(set) var isOwed: Bool

  init(_ head: HTTPRequestHead) {
    isOwed =
      head.version == .http1_1
      && head.headers[canonicalForm: "Expect"].contains { $0.lowercased() == "100-continue" }
  }

  /// - Returns: whether it has to be sent now.
  func take() -> Bool {
    defer { isOwed = false }
    return isOwed
  }
}

/// `struct linger` of C.
private struct Linger: Sendable {
  let isOn: Int32
  let seconds: Int32
}

extension Channel {
  /// Returns when the system has taken it. The writer of `NIOAsyncChannel` returns earlier: eight downloads at
  /// once made it hold 500 MiB.
  fileprivate func send(_ part: HTTPServerResponsePart) async throws {
    try await withTaskCancellationHandler {
      try await writeAndFlush(part).get()
    } onCancel: {
      close(promise: nil)
    }
  }

  /// Makes closing a reset: `SO_LINGER` with no time to linger.
  fileprivate func resetOnClose() async throws {
    guard let options = self as? any SocketOptionProvider else { return }
    try await options.unsafeSetSocketOption(
      level: .socket, name: .so_linger, value: Linger(isOn: 1, seconds: 0)
    ).get()
  }
}
