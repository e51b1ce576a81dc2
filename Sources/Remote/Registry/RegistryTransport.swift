import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Reporting

/// Sends requests to registries: with credentials, redirects and back-off.
struct RegistryTransport: Sendable {
  let settings: NetworkSettings
  let connections: Connections
  let reporter: Reporter

  /// Sends a request once and reads its answer, whatever the status. A 401 is answered with credentials first.
  /// - Throws: ``TransferFailure`` where no answer came; ``RegistryFailure`` where no answer can help.
  func exchange(_ request: RegistryRequest) async throws -> RegistryResponse {
    try await withResponse(to: request) { response, url in
      let isWanted = (200..<300).contains(response.status.code)
      var body: [UInt8] = []
      for try await chunk in response.body {
        body += chunk.readableBytesView
        guard body.count > request.responseLimit else { continue }
        if isWanted {
          throw RegistryFailure(
            request.activity, request.method.rawValue, url, .tooLarge(limit: request.responseLimit))
        }
        break
      }
      return RegistryResponse(
        status: Int(response.status.code), headers: response.headers, url: url, body: body)
    }
  }

  /// Sends a request again and again as long as faults pass by: registry.md, D.2, for requests that may simply be
  /// repeated. The answer has a status that no retry changes.
  /// - Throws: ``RegistryFailure``.
  func send(_ request: RegistryRequest) async throws -> RegistryResponse {
    try await exchange(request)
  }

  /// Sends a request once and hands its answer to `body` as it comes.
  func withResponse<Result>(
    to request: RegistryRequest,
    _ body: (HTTPClientResponse, RemoteURL) async throws -> Result
  ) async throws -> Result {
    let payload: HTTPClientRequest.Body? =
      switch request.body {
      case .none: nil
      case .bytes(let bytes): .bytes(bytes)
      case .file(let slice):
        .stream(
          FileSliceReader(slice: slice, progress: request.progress), length: .known(slice.byteCount)
        )
      }
    reporter.detail("\(request.method) \(request.url)")
    let response = try await connections.send(
      request.method, request.url, headers: request.headers, body: payload)
    return try await body(response, request.url)
  }
}
