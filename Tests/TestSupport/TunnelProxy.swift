import NIOCore
import NIOPosix
import Synchronization

/// A proxy on loopback that opens tunnels (CONNECT) to where it is told, or to what stands for that here.
package final class TunnelProxy: Sendable {
  private let channel: any Channel
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  private let log: Log

  package var port: Int { channel.localAddress?.port ?? 0 }
  /// The heads of the CONNECT requests.
  package var requests: [String] { log.requests.withLock { $0 } }

  private final class Log: Sendable {
    let requests = Mutex<[String]>([])
  }

  private init(leading ports: [String: Int]) async throws {
    let log = Log()
    self.log = log
    channel = try await ServerBootstrap(group: group)
      .childChannelOption(.autoRead, value: true)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Opening(log: log, ports: ports))
        }
      }.bind(host: "127.0.0.1", port: 0).get()
  }

  /// - Parameter ports: the ports of this machine that stand for hosts.
  @discardableResult
  package static func run<Result>(
    leading ports: [String: Int] = [:], _ body: (TunnelProxy) async throws -> Result
  ) async throws -> Result {
    let proxy = try await TunnelProxy(leading: ports)
    let result: Swift.Result<Result, any Error>
    do { result = .success(try await body(proxy)) } catch { result = .failure(error) }
    try await proxy.channel.close()
    try await proxy.group.shutdownGracefully()
    return try result.get()
  }

  /// Waits for the request's head, then passes bytes on.
  private final class Opening: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let log: Log
    let ports: [String: Int]
    var head = ""
    var far: (any Channel)?

    init(log: Log, ports: [String: Int]) {
      self.log = log
      self.ports = ports
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let bytes = unwrapInboundIn(data)
      if let far {
        far.writeAndFlush(bytes, promise: nil)
        return
      }
      head += String(buffer: bytes)
      let words = head.split(separator: " ")
      guard head.hasSuffix("\r\n\r\n"), words.count > 2,
        let colon = words[1].lastIndex(of: ":"),
        let said = Int(words[1][words[1].index(after: colon)...])
      else { return }
      let host = String(words[1][..<colon])
      let (place, port) = ports[host].map { ("127.0.0.1", $0) } ?? (Self.place(host), said)
      log.requests.withLock { $0.append(head) }
      let near = context.channel
      let opening = NIOLoopBound(self, eventLoop: context.eventLoop)
      ClientBootstrap(group: context.eventLoop)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(Passing(to: near))
          }
        }.connect(host: place, port: port).whenComplete { result in
          switch result {
          case .success(let channel):
            opening.value.far = channel
            near.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\n"), promise: nil)
          case .failure: near.close(promise: nil)
          }
        }
    }

    /// Names below `.test`, which nobody else has (RFC 6761), are this machine.
    private static func place(_ host: String) -> String {
      host.hasSuffix(".test") ? "127.0.0.1" : host
    }

    func channelInactive(context: ChannelHandlerContext) { far?.close(promise: nil) }
  }

  private final class Passing: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    let near: any Channel

    init(to near: any Channel) { self.near = near }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      near.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { near.close(promise: nil) }
  }
}
