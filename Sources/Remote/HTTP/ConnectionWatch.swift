import Bindings
import NIOCore
import NIOHTTP1
import Synchronization

/// Why a connection is given up that the HTTP client would have kept.
enum ConnectionFault: Error, Equatable {
  /// A connection that served earlier requests ended before it answered this one: the server had closed it.
  case reusedConnectionLost
  case writesStalled
  case tooSlow
  case headersTooLarge(limit: Int)
}

/// Sees to what async-http-client does not look after on an HTTP/1 connection.
///
/// Its write timeout ends as soon as the server stops reading (`IdleWriteStateMachine` clears its timer when the
/// channel is not writable), its read timeout starts anew with every byte, it does not tell a connection that
/// was used before from a new one, and its parser takes 80 KiB in a single header field.
final class ConnectionWatch: ChannelDuplexHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias InboundOut = HTTPClientResponsePart
  typealias OutboundIn = HTTPClientRequestPart
  typealias OutboundOut = HTTPClientRequestPart

  struct Limits: Sendable {
    /// How long not a byte may leave, and how long a body may come at less than ``slowest``.
    var idle: TimeAmount
    /// Bytes a second.
    var slowest = 1024
    var headerSize = 16 << 10
    var headersSize = 64 << 10
    /// What is counted as one write; a connection that takes less in the idle time is stalled.
    var writeSize = 64 << 10
  }

  private let limits: Limits
  private let peers: PeerAddresses?
  private var requestCount = 0
  private var isWaiting = false
  private var pendingWrites = 0
  private var lastWrite = NIODeadline.now()
  private var writeTimer: Scheduled<Void>?
  private var receivedBytes = 0
  private var readTimer: Scheduled<Void>?

  private init(limits: Limits, peers: PeerAddresses?) {
    self.limits = limits
    self.peers = peers
  }

  /// Puts it right behind the parser.
  static func install(
    in channel: any Channel, limits: Limits, peers: PeerAddresses?
  ) -> EventLoopFuture<Void> {
    channel.eventLoop.submit {
      let options = channel.syncOptions
      try options?.setOption(.recvAllocator, value: Self.reads)
      let pipeline = channel.pipeline.syncOperations
      let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPResponseDecoder>.self)
      try pipeline.addHandler(
        ConnectionWatch(limits: limits, peers: peers), position: .after(decoder))
    }
  }

  /// The usual 64 KiB at most make more hops between threads than a blob of a gigabyte needs: 5,100 instead of 900,
  /// and 2.2 s of processor time instead of 0.8 s (debug build).
  private static let reads = AdaptiveRecvByteBufferAllocator(
    minimum: 4 << 10, initial: 64 << 10, maximum: 512 << 10)

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(let head):
      requestCount += 1
      isWaiting = true
      if let peer = context.remoteAddress?.ipAddress, let host = head.headers.first(name: "Host") {
        peers?.record(peer, for: host)
      }
      context.write(data, promise: promise)
    case .body(.byteBuffer(var buffer)):
      while buffer.readableBytes > limits.writeSize,
        let slice = buffer.readSlice(length: limits.writeSize)
      {
        writeWatched(.byteBuffer(slice), context: context, promise: nil)
      }
      writeWatched(.byteBuffer(buffer), context: context, promise: promise)
    case .body, .end: context.write(data, promise: promise)
    }
  }

  private func writeWatched(
    _ body: IOData, context: ChannelHandlerContext, promise: EventLoopPromise<Void>?
  ) {
    let written = promise ?? context.eventLoop.makePromise()
    if pendingWrites == 0 { lastWrite = .now() }
    pendingWrites += 1
    written.futureResult.assumeIsolated().whenComplete { _ in
      self.pendingWrites -= 1
      self.lastWrite = .now()
    }
    context.write(wrapOutboundOut(.body(body)), promise: written)
    if writeTimer == nil { watchWrites(context, for: limits.idle) }
  }

  private func watchWrites(_ context: ChannelHandlerContext, for time: TimeAmount) {
    writeTimer = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
      self.writeTimer = nil
      guard self.pendingWrites > 0 else { return }
      let rest = self.lastWrite + self.limits.idle - .now()
      guard rest <= .nanoseconds(0) else { return self.watchWrites(context, for: rest) }
      context.fireErrorCaught(ConnectionFault.writesStalled)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head) where head.status.code >= 200:
      isWaiting = false
      let sizes = head.headers.map { $0.name.utf8.count + $0.value.utf8.count }
      if let largest = sizes.max(), largest > limits.headerSize {
        return context.fireErrorCaught(ConnectionFault.headersTooLarge(limit: limits.headerSize))
      }
      if sizes.reduce(0, +) > limits.headersSize {
        return context.fireErrorCaught(ConnectionFault.headersTooLarge(limit: limits.headersSize))
      }
      receivedBytes = 0
      if readTimer == nil { watchReads(context) }
    case .head: break
    case .body(let bytes): receivedBytes += bytes.readableBytes
    case .end:
      readTimer?.cancel()
      readTimer = nil
    }
    context.fireChannelRead(data)
  }

  private func watchReads(_ context: ChannelHandlerContext) {
    readTimer = context.eventLoop.assumeIsolated().scheduleTask(in: limits.idle) {
      self.readTimer = nil
      let least = Int64(self.limits.slowest) * self.limits.idle.nanoseconds / 1_000_000_000
      guard self.receivedBytes < least else {
        self.receivedBytes = 0
        return self.watchReads(context)
      }
      context.fireErrorCaught(ConnectionFault.tooSlow)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    let isLoss = isWaiting && requestCount > 1 && !(error is HTTPParserError)
    context.fireErrorCaught(isLoss ? ConnectionFault.reusedConnectionLost : error)
  }

  func channelInactive(context: ChannelHandlerContext) {
    if isWaiting && requestCount > 1 {
      context.fireErrorCaught(ConnectionFault.reusedConnectionLost)
    }
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    writeTimer?.cancel()
    readTimer?.cancel()
  }
}

/// Which addresses hosts turned out to have, for the rules on redirects.
///
/// A class, because connections write to what requests read.
final class PeerAddresses: Sendable {
  private let addresses = Mutex<[String: IPAddress]>([:])

  func record(_ address: String, for authority: String) {
    guard let address = IPAddress(address) else { return }
    addresses.withLock { $0[authority.lowercased()] = address }
  }

  /// Of the last connection to the URL's host and port; `nil` where there was none, or one through a proxy.
  func address(of url: RemoteURL) -> IPAddress? { addresses.withLock { $0[url.authority] } }
}
