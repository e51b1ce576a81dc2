import AsyncHTTPClient
import Credentials
import NIOCore
import NIOHTTP1
import OCISpec
import Reporting

/// Sends requests to registries: with credentials, redirects and back-off.
struct RegistryTransport: Sendable {
  let registries: RegistrySettings
  let credentials: CredentialProvider
  let connections: Connections
  let reporter: Reporter
  let sessions: RegistrySessions
  let gate: HostGate

  init(
    registries: RegistrySettings, credentials: CredentialProvider, connections: Connections,
    reporter: Reporter
  ) {
    self.registries = registries
    self.credentials = credentials
    self.connections = connections
    self.reporter = reporter
    sessions = RegistrySessions(settings: registries)
    gate = HostGate(pause: registries.network.pause)
  }

  var settings: NetworkSettings { registries.network }

  /// The registry's `/v2/`, as far as it is known how it is spoken to. Requests are sent the right way whichever
  /// scheme their URL has.
  func baseURL(of registry: Registry) throws -> RemoteURL { try sessions[registry].baseURL() }

  /// Sends a request once and reads its answer, whatever the status. A 401 is answered with credentials first.
  /// - Throws: ``TransferFailure`` where no answer came; ``RegistryFailure`` where no answer can help.
  func exchange(_ request: RegistryRequest) async throws -> RegistryResponse {
    try await withResponse(to: request) { response, url in
      try await collect(response, from: url, for: request)
    }
  }

  /// Sends a request once and hands its answer to `body` as it comes. A 401 is answered with credentials first:
  /// registry.md, C.4, at most two rounds.
  /// - Throws: as ``exchange(_:)``.
  func withResponse<Result>(
    to request: RegistryRequest,
    _ body: (HTTPClientResponse, RemoteURL) async throws -> Result
  ) async throws -> Result {
    if settings.isOffline { throw failure(.offline, request) }
    let session = sessions[request.repository.registry]
    guard try session.ownURL(request.url) != nil else {
      let (response, url) = try await follow(request, in: session)
      return try await body(response, url)
    }
    try await greet(session, for: request)
    var request = request
    request.url = try session.ownURL(request.url) ?? request.url
    var authentication = Authentication(scopes: TokenScopes(request.scopes))
    var mayAskAgain = true
    while true {
      let header = try await authorization(&authentication, for: request, in: session)
      let (response, url) = try await follow(request, authorization: header, in: session)
      let status = response.status.code
      if url.hasOrigin(of: request.url) {
        if [401, 403].contains(status),
          try await canAnswer(response, &authentication, request, in: session)
        {
          await drain(response)
          continue
        }
      } else if [400, 401, 403, 410].contains(status), mayAskAgain {
        // The URL that the registry gave has expired (403 by S3 and Azure, 400 by Google); it gives a new one. The
        // other host's challenge is not ours to answer.
        await drain(response)
        mayAskAgain = false
        continue
      }
      return try await body(response, url)
    }
  }

  /// Reads the whole body of an answer that was asked for; of others 64 KiB, as far as they come.
  func collect(
    _ response: HTTPClientResponse, from url: RemoteURL, for request: RegistryRequest
  ) async throws -> RegistryResponse {
    let isWanted = (200..<300).contains(response.status.code)
    let limit = isWanted ? request.responseLimit : RegistryMessages.byteLimit
    let length = response.headers.first(name: "Content-Length").flatMap { Int($0) }
    if isWanted, request.method != .HEAD, let length, length > limit {
      throw failure(.tooLarge(limit: limit), request, at: url)
    }
    var body: [UInt8] = []
    do {
      for try await chunk in response.body {
        body += chunk.readableBytesView
        guard body.count > limit else { continue }
        if isWanted { throw failure(.tooLarge(limit: limit), request, at: url) }
        body.removeLast(body.count - limit)
        break
      }
    } catch {
      try Task.checkCancellation()
      guard let fault = TransferFault(error, from: url, through: nil) else { throw error }
      if isWanted { throw TransferFailure(url: url, fault: fault) }
    }
    return RegistryResponse(
      status: Int(response.status.code), headers: response.headers, url: url, body: body)
  }

  /// Reads what is left of a small answer, so that its connection can be used again.
  func drain(_ response: HTTPClientResponse) async {
    var count = 0
    do {
      for try await chunk in response.body {
        count += chunk.readableBytes
        if count > RegistryMessages.byteLimit { return }
      }
    } catch {
      reporter.detail("an answer that was not needed was cut off")
    }
  }
}
