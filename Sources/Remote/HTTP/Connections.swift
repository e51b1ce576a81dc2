import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// HTTP clients, made when the first request needs one and closed together. A client is bound to its proxy, and
/// to what it demands of the server's certificate.
///
/// A class, because what it opens must be closed once.
final class Connections: Sendable {
  /// What a request needs of its connection besides the URL.
  struct Needs: Sendable, Hashable {
    var mayUseProxy = true
    /// Certificates are not looked at: `--tls-verify=false`.
    var acceptsAnyCertificate = false
    /// Whether a machine without any authorities may ask nevertheless, and trust nobody.
    var mayLackAuthorities = false
    /// Certificates for this host only.
    var trust: ExtraTrust?
    /// The registry commits a blob before it answers.
    var isPatient = false
    var connectTimeout: Duration?
  }

  /// Requests of one route share a client.
  private struct Route: Hashable {
    let proxy: Proxy?
    let isTLS: Bool
    let needs: Needs
  }

  /// Where connections without a proxy led.
  let peers = PeerAddresses()
  let settings: NetworkSettings
  private let clients = Mutex<[Route: HTTPClient]>([:])

  init(settings: NetworkSettings) { self.settings = settings }

  /// Sends one request, redirects not followed. The URL's own credentials go with it; a registry's do not come
  /// in URLs.
  /// - Throws: ``TransferFailure`` for the network's faults.
  func send(
    _ method: HTTPMethod, _ url: RemoteURL, headers: [(name: String, value: String)],
    body: HTTPClientRequest.Body? = nil, needs: Needs = Needs(),
    deadline: NIODeadline = .distantFuture
  ) async throws -> HTTPClientResponse {
    let route = Route(
      proxy: needs.mayUseProxy ? try settings.proxies.proxy(for: url) : nil,
      isTLS: url.scheme == .https, needs: needs)
    var request = HTTPClientRequest(url: url.requestText)
    request.method = method
    request.body = body
    if let proxy = route.proxy, !route.isTLS {
      request.url = proxy.url.origin + url.target
      request.headers.add(name: "Host", value: url.authority)
      if let credentials = proxy.url.credentials {
        let value = credentials.authorization.headerValue
        request.headers.add(name: "Proxy-Authorization", value: value)
      }
    }
    request.headers.add(name: "User-Agent", value: settings.userAgent)
    request.headers.add(name: "Accept-Encoding", value: "identity")
    if let credentials = url.credentials {
      request.headers.add(name: "Authorization", value: credentials.authorization.headerValue)
    }
    for header in headers { request.headers.add(name: header.name, value: header.value) }
    let client = try client(for: route)
    do {
      return try await execute(request, by: client, deadline: deadline)
    } catch {
      try Task.checkCancellation()
      let fault = TransferFault(error, from: url, through: route.proxy)
      throw fault.map { TransferFailure(url: url, fault: $0) } ?? error
    }
  }

  /// Sends it again where a server closed a kept connection just when it was used again: RFC 9112, section 9.3.1.
  /// Not where a body may have arrived.
  private func execute(
    _ request: HTTPClientRequest, by client: HTTPClient, deadline: NIODeadline
  ) async throws -> HTTPClientResponse {
    for _ in 0..<Self.keptConnections {
      do { return try await client.execute(request, deadline: deadline) } catch {
        guard (error as? ConnectionFault) == .reusedConnectionLost, request.body == nil else {
          throw error
        }
      }
    }
    return try await client.execute(request, deadline: deadline)
  }

  /// To one host; each of them may turn out to be closed.
  private static let keptConnections = 8

  /// Waits until the threads of all connections have done what they were given before.
  ///
  /// The HTTP client takes the parts of a request's body until its connection says that it has enough, and that is
  /// said by the connection's thread: where this is behind, a file of any size is in memory before a byte of it is
  /// sent (`Transaction.writeRequestBodyPart` does not wait for it).
  static func catchUp() async throws {
    let loops = HTTPClient.defaultEventLoopGroup
    let done = loops.makeIterator().map { $0.submit {} }
    try await EventLoopFuture.andAllSucceed(done, on: loops.any()).get()
  }

  func close() async throws {
    let all = clients.withLock { clients in
      defer { clients = [:] }
      return Array(clients.values)
    }
    for client in all { try await client.shutdown() }
  }

  private func client(for route: Route) throws -> HTTPClient {
    try clients.withLock { clients in
      if let client = clients[route] { return client }
      let client = HTTPClient(
        eventLoopGroupProvider: .shared(HTTPClient.defaultEventLoopGroup),
        configuration: try configuration(for: route))
      clients[route] = client
      return client
    }
  }

  private func configuration(for route: Route) throws -> HTTPClient.Configuration {
    let idle = TimeAmount(
      route.needs.isPatient ? settings.commitTimeout : settings.idleTimeout)
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: .init(
        connect: TimeAmount(route.needs.connectTimeout ?? settings.connectTimeout), read: idle,
        write: idle))
    configuration.httpVersion = .http1Only
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.keptConnections
    if route.isTLS {
      var tls = TLSConfiguration.makeClientConfiguration()
      tls.minimumTLSVersion = .tlsv12
      if route.needs.acceptsAnyCertificate {
        tls.certificateVerification = .none
      } else {
        let mayLack = route.needs.mayLackAuthorities && settings.trust.sources.isEmpty
        tls.trustRoots = .certificates(mayLack ? [] : try settings.trust.certificates())
      }
      try route.needs.trust?.apply(to: &tls)
      configuration.tlsConfiguration = tls
      configuration.proxy = route.proxy.map { proxy in
        .server(
          host: proxy.url.host, port: proxy.url.port,
          authorization: proxy.url.credentials?.authorization)
      }
    }
    // The client would ask the proxy for a tunnel, which many allow to port 443 only.
    let isAbsolute = route.proxy != nil && !route.isTLS
    let limits = ConnectionWatch.Limits(idle: TimeAmount(settings.idleTimeout))
    let peers = route.proxy == nil ? peers : nil
    configuration.http1_1ConnectionDebugInitializer = { channel in
      ConnectionWatch.install(in: channel, limits: limits, peers: peers).flatMap {
        isAbsolute ? AbsoluteForm.install(in: channel) : channel.eventLoop.makeSucceededVoidFuture()
      }
    }
    return configuration
  }
}

extension RemoteURL.Credentials {
  var authorization: HTTPClient.Authorization { .basic(username: user, password: password) }
}
