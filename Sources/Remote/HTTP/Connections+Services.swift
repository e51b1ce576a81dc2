import AsyncHTTPClient
package import Credentials
import NIOCore
import NIOHTTP1

/// Runs `body` with a way to send small requests to services that are no registries, and closes its connections in
/// every way out. Nothing is opened before the first request.
package func withServiceExchange<Result>(
  _ settings: NetworkSettings, _ body: (@escaping ServiceExchange) async throws -> Result
) async throws -> Result {
  try await withConnections(settings) { connections in
    try await body { try await connections.exchange($0) }
  }
}

func withConnections<Result>(
  _ settings: NetworkSettings, _ body: (Connections) async throws -> Result
) async throws -> Result {
  let connections = Connections(settings: settings)
  let result: Result
  do { result = try await body(connections) } catch {
    try? await connections.close()
    throw error
  }
  try await connections.close()
  return result
}

extension Connections {
  /// Sends one request and reads its answer, whatever the status; redirects are answers too.
  /// - Throws: ``FetchError``.
  func exchange(_ service: ServiceRequest) async throws -> ServiceResponse {
    let url = try RemoteURL(parsing: service.url)
    if settings.isOffline { throw FetchError.offline(url) }
    do {
      return try await withThrowingTaskGroup(of: ServiceResponse.self) { group in
        group.addTask { try await self.answer(to: service, at: url) }
        group.addTask {
          try await Task.sleep(for: service.timeout)
          throw TransferFailure(url: url, fault: .stalled)
        }
        defer { group.cancelAll() }
        guard let response = try await group.next() else { throw CancellationError() }
        return response
      }
    } catch let failure as TransferFailure {
      try Task.checkCancellation()
      throw FetchError.failed(url, at: failure.url, failure.fault, attempts: 1)
    }
  }

  private func answer(to service: ServiceRequest, at url: RemoteURL) async throws -> ServiceResponse
  {
    let isAWS = url.scheme == .https && settings.awsAuthorities != nil
    let trust = settings.awsAuthorities.map { ExtraTrust.bundle($0, variable: "AWS_CA_BUNDLE") }
    let needs = Needs(
      mayUseProxy: service.mayUseProxy, trust: isAWS ? trust : nil,
      connectTimeout: service.connectTimeout)
    let response = try await send(
      HTTPMethod(rawValue: service.method), url, headers: service.headers,
      body: service.body.isEmpty ? nil : .bytes(service.body), needs: needs)
    var body: [UInt8] = []
    do {
      for try await chunk in response.body {
        body += chunk.readableBytesView
        guard body.count <= service.responseLimit else {
          throw FetchError.tooLarge(url, limit: Int64(service.responseLimit))
        }
      }
    } catch {
      try Task.checkCancellation()
      let fault = TransferFault(error, from: url, through: nil)
      throw fault.map { TransferFailure(url: url, fault: $0) } ?? error
    }
    return ServiceResponse(
      status: Int(response.status.code), headers: response.headers.map { ($0.name, $0.value) },
      body: body)
  }
}
