import NIOCore
import NIOHTTP1
import NIOPosix
package import Reporting
package import SystemPackage
import Workers

/// An HTTP server on this machine's loopback interface.
package struct RegistryServer: Sendable {
  package let port: Int

  package static let host = "127.0.0.1"

  package var address: String { "\(Self.host):\(port)" }

  /// Listens as long as `body` runs; then every connection is closed, whatever goes on on it.
  ///
  /// - Parameters:
  ///   - port: 0 for any that is free.
  ///   - idleTimeout: how long a connection may neither send nor take anything.
  /// - Throws: ``ServerError/cannotListen``.
  package static func run<Result>(
    port: Int, idleTimeout: Duration = .seconds(300), handler: @escaping RequestHandler,
    _ body: (RegistryServer) async throws -> Result
  ) async throws -> Result {
    let listener = try await listen(port, idleTimeout: TimeAmount(idleTimeout))
    let server = RegistryServer(port: listener.channel.localAddress?.port ?? port)
    var outcome: Swift.Result<Result, any Error>?
    // The handlers block, so all that serves runs on the threads for that, and `body` where it belongs.
    try await withBlockingWork {
      try await listener.executeThenClose { connections in
        await withTaskGroup(of: Void.self) { group in
          group.addTask { await accept(connections, handler) }
          await withTaskExecutorPreference(globalConcurrentExecutor) {
            do { outcome = .success(try await body(server)) } catch { outcome = .failure(error) }
          }
          group.cancelAll()
        }
      }
    }
    guard let outcome else { preconditionFailure("the body runs to its end") }
    return try outcome.get()
  }

  private static func listen(
    _ port: Int, idleTimeout: TimeAmount
  ) async throws -> NIOAsyncChannel<HTTPConnection.Stream, Never> {
    do {
      return try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .bind(host: host, port: port) { channel in
          channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
            try pipeline.addHandlers([IdleStateHandler(allTimeout: idleTimeout), IdleCloser()])
            return try HTTPConnection.Stream(wrappingChannelSynchronously: channel)
          }
        }
    } catch let error as IOError {
      throw ServerError.cannotListen(
        host: host, port: port, Errno(rawValue: error.errnoCode))
    }
  }

  /// Takes connections, a limited number at a time; more of them wait in the system's queue.
  private static func accept(
    _ connections: NIOAsyncChannelInboundStream<HTTPConnection.Stream>,
    _ handler: @escaping RequestHandler
  ) async {
    await withTaskGroup(of: Void.self) { group in
      var count = 0
      do {
        for try await stream in connections {
          if count == maximumConnections {
            await group.next()
            count -= 1
          }
          group.addTask { await HTTPConnection(stream: stream, handler: handler).serve() }
          count += 1
        }
      } catch {
        // The socket that listens is gone; the connections that are here go on to their ends.
      }
    }
  }

  private static let maximumConnections = 256
}

/// Closes a connection on which nothing happens any more.
private final class IdleCloser: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is IdleStateHandler.IdleStateEvent {
      context.close(promise: nil)
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }
}

package enum ServerError: Failure, Equatable {
  case cannotListen(host: String, port: Int, Errno)

  package var kind: FailureKind { .unavailable }

  package var description: String {
    switch self {
    case .cannotListen(let host, let port, .addressInUse):
      "listening on \(host):\(port): another program does already; name another port with --port, 0 for any that is free"
    case .cannotListen(let host, let port, let errno):
      "listening on \(host):\(port): \(errno); name another port with --port, 0 for any that is free"
    }
  }
}
