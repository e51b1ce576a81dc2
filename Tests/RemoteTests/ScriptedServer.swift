import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP server on loopback that answers each request as a script says, faults included.
final class ScriptedServer: Sendable {
  struct Request: Sendable {
    var method: String
    var uri: String
    var headers: HTTPHeaders
    /// 0 for the first request the server gets.
    var number: Int
    var body: [UInt8] = []
    /// 0 for the first request of its connection.
    var numberInConnection = 0
    /// Seconds since some beginning.
    var time = ProcessInfo.processInfo.systemUptime

    subscript(_ name: String) -> String? { headers.first(name: name) }
  }

  struct Answer: Sendable {
    var status = 200
    var headers: [(String, String)] = []
    var body: [UInt8] = []
    /// What Content-Length says; the body's count where nothing is said.
    var length: Int?
    var isChunked = false
    /// Close the connection after this many bytes of the body; before the head for -1.
    var dropAfter: Int?
    /// Say nothing at all, for ever.
    var isSilent = false
    /// Wait before the answer.
    var delay = TimeAmount.zero
    /// These bytes instead of an answer, then the end.
    var raw: String?
    /// Send the body in pieces of one byte, with this much time between them.
    var trickle: TimeAmount?
    /// End the connection with a reset instead of an end.
    var isReset = false
    /// Take no more of the request, and say nothing.
    var isDeaf = false
  }

  private let channel: any Channel
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  private let log: Log

  var port: Int { channel.localAddress?.port ?? 0 }
  var requests: [Request] { log.requests.withLock { $0 } }

  func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

  init(
    port: Int = 0, early: @escaping @Sendable (Request) -> Answer? = { _ in nil },
    _ script: @escaping @Sendable (Request) -> Answer
  ) async throws {
    let log = Log()
    self.log = log
    channel = try await ServerBootstrap(group: group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.pipeline.configureHTTPServerPipeline(withErrorHandling: false).flatMapThrowing {
          try channel.pipeline.syncOperations.addHandler(
            Handler(log: log, early: early, script: script))
        }
      }.bind(host: "127.0.0.1", port: port).get()
  }

  /// - Parameter early: an answer to a request's head, after which the connection ends and the body is not read.
  @discardableResult
  static func run<Result>(
    early: @escaping @Sendable (Request) -> Answer? = { _ in nil },
    _ script: @escaping @Sendable (Request) -> Answer,
    _ body: (ScriptedServer) async throws -> Result
  ) async throws -> Result {
    let server = try await ScriptedServer(early: early, script)
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await body(server)) } catch { result = .failure(error) }
    try await server.stop()
    return try result.get()
  }

  func stop() async throws {
    try await channel.close()
    try await group.shutdownGracefully()
  }

  private final class Log: Sendable {
    let requests = Mutex<[Request]>([])
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    let log: Log
    let script: @Sendable (Request) -> Answer
    var head: HTTPRequestHead?
    var body: [UInt8] = []
    var requestCount = 0
    let early: @Sendable (Request) -> Answer?
    var isOver = false

    init(
      log: Log, early: @escaping @Sendable (Request) -> Answer?,
      script: @escaping @Sendable (Request) -> Answer
    ) {
      self.log = log
      self.early = early
      self.script = script
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      if isOver { return }
      switch unwrapInboundIn(data) {
      case .head(let head):
        self.head = head
        body = []
        guard var answer = early(request(head, number: -1)) else { return }
        isOver = true
        record(head)
        if answer.isDeaf {
          context.channel.setOption(.autoRead, value: false).whenComplete { _ in }
          return
        }
        answer.dropAfter = answer.body.count
        self.answer(answer, context: context)
      case .body(var bytes): body += bytes.readBytes(length: bytes.readableBytes) ?? []
      case .end:
        guard let head else { return }
        let request = record(head)
        requestCount += 1
        let answer = script(request)
        context.eventLoop.assumeIsolated().scheduleTask(in: answer.delay) {
          self.answer(answer, context: context)
        }
      }
    }

    private func request(_ head: HTTPRequestHead, number: Int) -> Request {
      Request(
        method: head.method.rawValue, uri: head.uri, headers: head.headers, number: number,
        body: body, numberInConnection: requestCount)
    }

    @discardableResult
    private func record(_ head: HTTPRequestHead) -> Request {
      log.requests.withLock { requests in
        let request = request(head, number: requests.count)
        requests.append(request)
        return request
      }
    }

    func answer(_ answer: Answer, context: ChannelHandlerContext) {
      if answer.isSilent { return }
      if let raw = answer.raw { return send(raw, context: context) }
      if answer.dropAfter == -1 { return end(context.channel, resetting: answer.isReset) }
      var head = HTTPResponseHead(
        version: .http1_1, status: .init(statusCode: answer.status),
        headers: HTTPHeaders(answer.headers))
      if !answer.isChunked {
        head.headers.add(name: "Content-Length", value: "\(answer.length ?? answer.body.count)")
      }
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      if let gap = answer.trickle {
        context.flush()
        return trickle(answer.body[...], every: gap, context: context)
      }
      let sent = answer.body.prefix(answer.dropAfter ?? answer.body.count)
      let written = context.eventLoop.makePromise(of: Void.self)
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: sent)))), promise: written)
      if answer.dropAfter != nil {
        let (channel, isReset) = (context.channel, answer.isReset)
        written.futureResult.assumeIsolated().whenComplete { _ in
          // Let the bytes arrive before the end does.
          channel.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(50)) {
            self.end(channel, resetting: isReset)
          }
        }
        context.flush()
      } else {
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
      }
    }

    /// Bytes as they are, past everything that would make them proper.
    private func send(_ raw: String, context: ChannelHandlerContext) {
      let channel = context.channel
      let pipeline = context.pipeline.syncOperations
      guard let encoder = try? pipeline.context(handlerType: HTTPResponseEncoder.self) else {
        return
      }
      encoder.writeAndFlush(NIOAny(ByteBuffer(string: raw)), promise: nil)
      context.eventLoop.scheduleTask(in: .milliseconds(50)) { channel.close(promise: nil) }
    }

    private func end(_ channel: any Channel, resetting: Bool) {
      guard resetting, let provider = channel as? any SocketOptionProvider else {
        return channel.close(promise: nil)
      }
      provider.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in
        channel.close(promise: nil)
      }
    }

    private func trickle(
      _ rest: ArraySlice<UInt8>, every gap: TimeAmount, context: ChannelHandlerContext
    ) {
      guard let byte = rest.first, context.channel.isActive else {
        return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
      }
      let buffer = ByteBuffer(bytes: [byte])
      context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
      context.eventLoop.assumeIsolated().scheduleTask(in: gap) {
        self.trickle(rest.dropFirst(), every: gap, context: context)
      }
    }
  }
}

extension ScriptedServer.Answer {
  /// The file as a proper server gives it, ranges included.
  static func file(
    _ content: [UInt8], for request: ScriptedServer.Request, tag: String? = "\"v1\""
  ) -> Self {
    let headers = tag.map { [("ETag", $0)] } ?? []
    guard let range = request["Range"], let tag, request["If-Range"] == tag,
      let start = Int(range.dropFirst("bytes=".count).dropLast())
    else { return Self(headers: headers, body: content) }
    guard start < content.count else {
      return Self(status: 416, headers: [("Content-Range", "bytes */\(content.count)")])
    }
    let contentRange = "bytes \(start)-\(content.count - 1)/\(content.count)"
    return Self(
      status: 206, headers: headers + [("Content-Range", contentRange)],
      body: Array(content[start...]))
  }

  func dropping(after count: Int) -> Self {
    var answer = self
    answer.dropAfter = count
    return answer
  }
}
