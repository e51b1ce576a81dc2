import Credentials
import NIOHTTP1
import OCISpec
import Reporting

extension RegistryTransport {
  func failure(
    _ problem: RegistryFailure.Problem, _ request: RegistryRequest, at url: RemoteURL? = nil,
    attempts: Int = 1, advice: String? = nil
  ) -> RegistryFailure {
    let secrets = sessions[request.repository.registry].secrets
    return RegistryFailure(
      request.activity, request.method.rawValue, url ?? request.url, problem.hiding(secrets),
      attempts: attempts, advice: advice)
  }

  /// What an answer that was not asked for means.
  func failure(
    of response: RegistryResponse, to request: RegistryRequest, attempts: Int = 1
  ) -> RegistryFailure {
    let session = sessions[request.repository.registry]
    let registry = request.repository.registry
    let isOwn = (try? session.ownURL(response.url)) != nil
    guard [401, 403].contains(response.status), isOwn else {
      return failure(
        .status(response.status, response.messages), request, at: response.url, attempts: attempts,
        advice: response.status == 429 ? Self.limits(response) : nil)
    }
    let found = session.knownCredential(for: request.repository.path) ?? nil
    return failure(
      .denied(status: response.status, response.messages, source: found?.source), request,
      at: response.url, attempts: attempts,
      advice: Self.advice(for: registry, hasCredential: found != nil))
  }

  /// What a fault of the network means for a request.
  func failure(
    of failure: TransferFailure, to request: RegistryRequest, attempts: Int = 1
  ) -> RegistryFailure {
    var advice: String?
    if failure.fault == .notTLS, failure.url.hasOrigin(of: request.url) {
      let host = request.repository.registry.apiHost
      advice = "where it speaks plain http on purpose, --plain-http \(host)"
    }
    return self.failure(
      .network(failure.fault), request, at: failure.url, attempts: attempts, advice: advice)
  }

  static func advice(for registry: Registry, hasCredential: Bool) -> String {
    hasCredential
      ? "`ociforge auth \(registry)` says which sources were looked at; `ociforge login \(registry)` sets another"
      : "`ociforge login \(registry)` sets one; `ociforge auth \(registry)` says which sources were looked at"
  }

  /// What Docker Hub says of its limits: https://docs.docker.com/docker-hub/usage/pulls/.
  static func limits(_ response: RegistryResponse) -> String? {
    let said = ["ratelimit-limit", "ratelimit-remaining"].compactMap { name in
      response[name].map { "\(name): \($0.printable)" }
    }
    return said.isEmpty ? nil : "the registry says \(said.joined(separator: ", "))"
  }
}
