import NIOHTTP1
import OCISpec
import Reporting

extension RegistryTransport {
  /// Makes sure that the registry has said how it is spoken to: registry.md, B.1 and A.2. Once a run, whoever asks.
  /// - Throws: as ``exchange(_:)``; a registry that does not answer now is asked again by the next request.
  func greet(_ session: RegistrySession, for request: RegistryRequest) async throws {
    if session.isGreeted { return }
    try await session.greetings.value(for: true) {
      if session.isGreeted { return }
      let base = try session.baseURL()
      do { try await greet(session, at: base, for: request) } catch let failure as TransferFailure {
        // Only where not a byte leaves this machine, and never because a certificate is wrong.
        guard base.scheme == .https, base.isLoopback, failure.fault.mayBePlainHTTP else {
          throw failure
        }
        let plain = try RemoteURL(parsing: "http://\(session.registry.apiHost)/v2/")
        reporter.detail(
          "\(base): \(failure.fault.text); trying plain http, as it is on this machine")
        try await greet(session, at: plain, for: request)
      }
    }
  }

  private func greet(
    _ session: RegistrySession, at url: RemoteURL, for request: RegistryRequest
  ) async throws {
    let ping = RegistryRequest(
      method: .GET, url: url, repository: request.repository, activity: request.activity)
    var history = RetryPolicy.History()
    while true {
      let (stream, answered) = try await follow(ping, in: session)
      let response = try await collect(stream, from: answered, for: ping)
      if response.status == 404 { throw failure(.notARegistry, ping, at: answered) }
      history.record(gainedBytes: false)
      let wait = retryAfter(response.headers)
      let decision = settings.retries.decision(
        after: .status(response.status, retryAfter: wait), history: history,
        jitter: settings.pause.jitter())
      switch decision {
      case .retry(let delay):
        if wait == nil { try await settings.pause.sleep(delay) }
      case .askedToWait, .giveUp:
        // Some refuse to be asked this and answer everything else. Zot sends its challenge with 200.
        let isOwn = answered.hasOrigin(of: url)
        let lines = isOwn ? response.headers["WWW-Authenticate"] : []
        session.greeted(
          over: url.scheme, challenge: Challenge.preferred(in: Challenge.parse(lines)))
        if let risk = risk(of: session, at: url) { reporter.warn(risk) }
        return
      }
    }
  }

  /// What a switch takes from the safety of all that follows: registry.md, A.2.
  private func risk(of session: RegistrySession, at url: RemoteURL) -> String? {
    if url.scheme == .http {
      return url.isLoopback
        ? nil
        : "\(session.registry) is spoken to over plain http: whoever is on the way can read and change what is sent"
    }
    return registries.verifiesCertificates
      ? nil
      : "the certificate of \(session.registry) is not checked: whoever is on the way may stand in for it"
  }
}

extension TransferFault {
  /// Whether what answers, or does not, may speak plain http.
  fileprivate var mayBePlainHTTP: Bool {
    switch self {
    case .notTLS, .cutOff, .connectionFailed, .stalled: true
    default: false
    }
  }
}
