import Foundation
import NIOCore
package import NIOHTTP1
package import Server
import Synchronization
package import SystemPackage

/// `ociforge serve` within a test, with faults between its clients and the registry.
package final class FaultyRegistry: Sendable {
  /// A request as it came, before anything was answered.
  package struct Request: Sendable {
    package let method: HTTPMethod
    /// Path and query.
    package let target: String
    package let headers: HTTPHeaders
    /// 0 for the first that the registry gets.
    package let number: Int
    /// How many requests came before it with the same method and path.
    package let repetition: Int
    /// How much of its body was read until now.
    package fileprivate(set) var bodyByteCount = 0

    package var path: String { String(target.prefix { $0 != "?" }) }

    package subscript(_ header: String) -> String? { headers.first(name: header) }
  }

  package let port: Int
  private let log: Log

  package var host: String { "127.0.0.1:\(port)" }
  package var requests: [Request] { log.requests.withLock { $0 } }

  /// The requests as `METHOD /path`, in the order they came.
  package var lines: [String] { requests.map { "\($0.method.rawValue) \($0.path)" } }

  /// Serves a layout, an empty one of its own where none is named, as long as `body` runs.
  ///
  /// - Parameters:
  ///   - wrapping: what stands before the registry but behind the faults, such as ``demandBasic(user:password:)``.
  ///   - fault: what to do instead of answering a request properly; asked when its head has been read.
  @discardableResult
  package static func run<Result>(
    layout: FilePath? = nil,
    wrapping: @escaping (@escaping RequestHandler) -> RequestHandler = { $0 },
    fault: @escaping @Sendable (Request) -> Fault? = { _ in nil },
    _ body: (FaultyRegistry) async throws -> Result
  ) async throws -> Result {
    let own = try TemporaryDirectory(), log = Log()
    let path = layout ?? own.path.appending("layout")
    return try await RegistryServer.run(
      layout: path,
      wrapping: { registry in
        let handler = wrapping(registry)
        return { request in
          let known = log.add(request)
          var request = request
          request.body = log.counting(request.body, of: known.number)
          guard let fault = fault(known) else { return try await handler(request) }
          return try await fault.answer(request, handler)
        }
      }
    ) { server in
      let result = try await body(FaultyRegistry(port: server.port, log: log))
      withExtendedLifetime(own) {}
      return result
    }
  }

  private init(port: Int, log: Log) {
    self.port = port
    self.log = log
  }

  private final class Log: Sendable {
    let requests = Mutex<[Request]>([])

    func add(_ request: ServerRequest) -> Request {
      requests.withLock { requests in
        let path = request.target.prefix { $0 != "?" }
        let same = requests.filter { $0.method == request.method && $0.path == path }
        let known = Request(
          method: request.method, target: request.target, headers: request.headers,
          number: requests.count, repetition: same.count)
        requests.append(known)
        return known
      }
    }

    func counting(_ body: RequestBody, of number: Int) -> RequestBody {
      RequestBody {
        let piece = try await body.next()
        self.requests.withLock { $0[number].bodyByteCount += piece?.readableBytes ?? 0 }
        return piece
      }
    }
  }
}
