import AsyncHTTPClient
import Bindings
import NIOCore
import NIOHTTP1
import OCISpec
import Reporting

extension RegistryTransport {
  /// Sends a request and follows its redirects: registry.md, B.0.
  /// - Parameters:
  ///   - authorization: goes to the origin of the request's URL and to no other.
  ///   - staysAtHome: whether a redirect to another origin is refused, as the body holds a secret.
  /// - Returns: the answer, and what gave it.
  func follow(
    _ request: RegistryRequest, authorization: String? = nil, in session: RegistrySession,
    staysAtHome: Bool = false, deadline: NIODeadline = .distantFuture
  ) async throws -> (HTTPClientResponse, RemoteURL) {
    var visited = [request.url]
    var current = request.url
    while true {
      try await gate.pass(current)
      var headers = request.headers
      if let authorization, current.hasOrigin(of: request.url) {
        headers.append(("Authorization", authorization))
      }
      let response = try await connections.send(
        request.method, current, headers: headers, body: request.payload,
        needs: needs(of: request, at: current, in: session), deadline: deadline)
      let status = Int(response.status.code)
      reporter.detail("\(request.method) \(current): \(status)")
      note(response, from: current, in: session)
      // A proxy of plain http says it as if it were the registry.
      if status == 407 {
        await drain(response)
        throw TransferFailure(url: current, fault: .proxyWantsAuthentication)
      }
      guard RedirectPolicy.isRedirect(status) else {
        try check(encodingOf: response, from: current, for: request)
        return (response, current)
      }
      await drain(response)
      let location = response.headers.first(name: "Location")
      current = try next(
        after: visited, status: status, location: location, for: request, staysAtHome: staysAtHome)
      visited.append(current)
    }
  }

  /// Keeps what an answer says beside its status: a wished pause, and warnings.
  private func note(
    _ response: HTTPClientResponse, from url: RemoteURL, in session: RegistrySession
  ) {
    let status = Int(response.status.code)
    if TransferFault.isRetryable(status: status), let wait = retryAfter(response.headers),
      wait <= settings.retries.longestRetryAfter
    {
      gate.close(url, for: wait)
    }
    for text in session.newWarnings(response.headers[canonicalForm: "Warning"].map(String.init)) {
      reporter.warn("\(session.registry) says: \(text)")
    }
  }

  func retryAfter(_ headers: HTTPHeaders) -> Duration? {
    headers.first(name: "Retry-After").flatMap { RetryAfter.wait($0, now: settings.pause.now()) }
  }

  private func check(
    encodingOf response: HTTPClientResponse, from url: RemoteURL, for request: RegistryRequest
  ) throws {
    guard (200..<300).contains(response.status.code),
      let encoding = response.headers.first(name: "Content-Encoding")?.lowercased(),
      encoding != "identity", !encoding.isEmpty
    else { return }
    let text = "content encoding \(encoding.quoted), where none was allowed"
    throw failure(.protocolBroken(text), request, at: url)
  }

  private func needs(
    of request: RegistryRequest, at url: RemoteURL, in session: RegistrySession
  ) throws -> Connections.Needs {
    let base = try session.baseURL()
    var needs = Connections.Needs(
      acceptsAnyCertificate: !registries.verifiesCertificates && url.host == base.host,
      mayLackAuthorities: url.isLoopback, trust: url.hasOrigin(of: base) ? session.trust : nil,
      isPatient: request.patience == .commit)
    // Some servers of plain http say nothing to a TLS greeting. This machine answers sooner where it has TLS.
    if url.isLoopback { needs.connectTimeout = min(settings.connectTimeout, .seconds(3)) }
    return needs
  }

  private func next(
    after visited: [RemoteURL], status: Int, location: String?, for request: RegistryRequest,
    staysAtHome: Bool
  ) throws -> RemoteURL {
    let current = visited[visited.count - 1]
    let isRepeated = [307, 308].contains(status)
    if request.method != .GET && request.method != .HEAD && !isRepeated {
      throw failure(
        .redirectRefused(
          to: nil, .notRepeatable(status: status, method: request.method.rawValue)), request,
        at: current)
    }
    let next: RemoteURL
    do { next = try settings.redirects.next(after: visited, location: location) } catch {
      guard case .redirectRefused(let from, let to, let problem) = error else { throw error }
      throw failure(.redirectRefused(to: to, problem), request, at: from)
    }
    if staysAtHome && !next.hasOrigin(of: request.url) {
      throw failure(.redirectRefused(to: next, .elsewhere), request, at: current)
    }
    if next.hasPrivateAddress, !registries.allowsPrivateRedirects, !isPrivate(request.url) {
      throw failure(.redirectRefused(to: next, .toPrivateAddress), request, at: current)
    }
    return next
  }

  /// Whether a host is somebody's own: by its text, or by the address that it turned out to have.
  func isPrivate(_ url: RemoteURL) -> Bool {
    if url.hasPrivateAddress || url.isLocal { return true }
    guard let address = connections.peers.address(of: url) else { return false }
    return address.isPrivate || address.isLocal
  }
}

extension RegistryRequest {
  /// The body, from its start.
  var payload: HTTPClientRequest.Body? {
    switch body {
    case .none: nil
    case .bytes(let bytes): .bytes(bytes)
    case .file(let slice):
      .stream(FileSliceReader(slice: slice, progress: progress), length: .known(slice.byteCount))
    }
  }
}
