import NIOCore
import NIOPosix
import NIOHTTP1

/// Answers greetings and then, on other connections, reads a little and no more; or says a few words and goes.
final class SilentListener: Sendable {
  private let channel: any Channel
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  var port: Int { channel.localAddress?.port ?? 0 }

  /// - Parameter words: what is said once something has come; nothing more is read then.
  init(answering words: String? = nil) async throws {
    channel = try await ServerBootstrap(group: group)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Reader(words: words))
        }
      }.bind(host: "127.0.0.1", port: 0).get()
  }

  func stop() async throws {
    try await channel.close()
    try await group.shutdownGracefully()
  }

  private final class Reader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let words: String?

    init(words: String?) { self.words = words }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      if String(buffer: unwrapInboundIn(data)).hasPrefix("GET /v2/ ") {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        return
      }
      _ = context.channel.setOption(.autoRead, value: false)
      guard let words else { return }
      let channel = context.channel
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: words)), promise: nil)
      context.eventLoop.scheduleTask(in: .milliseconds(100)) { channel.close(promise: nil) }
    }
  }
}
