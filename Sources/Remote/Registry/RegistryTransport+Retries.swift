import NIOHTTP1
import OCISpec
import Reporting

extension RegistryTransport {
  /// Sends a request again and again as long as faults pass by: registry.md, D.2, for requests that may simply be
  /// repeated. The answer has a status that no retry changes.
  /// - Throws: ``RegistryFailure``.
  func send(_ request: RegistryRequest) async throws -> RegistryResponse {
    try await retrying(request) { try await exchange(request) }
  }

  /// Repeats `attempt`, which is to throw ``TransferFailure`` or give an answer, as long as faults pass by.
  func retrying(
    _ request: RegistryRequest, _ attempt: () async throws -> RegistryResponse
  ) async throws -> RegistryResponse {
    var history = RetryPolicy.History()
    while true {
      let fault: TransferFault, url: RemoteURL
      var refusal: RegistryResponse?
      do {
        let response = try await attempt()
        guard isPassing(response) else { return response }
        (fault, url) = (
          .status(response.status, retryAfter: retryAfter(response.headers)), response.url
        )
        refusal = response
      } catch let failure as TransferFailure {
        (fault, url) = (failure.fault, failure.url)
      }
      try Task.checkCancellation()
      history.record(gainedBytes: false)
      let wait: Duration
      switch settings.retries.decision(
        after: fault.asTemporary, history: history, jitter: settings.pause.jitter())
      {
      case .giveUp:
        if let refusal { throw failure(of: refusal, to: request, attempts: history.attempts) }
        throw failure(
          of: TransferFailure(url: url, fault: fault), to: request, attempts: history.attempts)
      case .askedToWait(let wait):
        let problem = RegistryFailure.Problem.askedToWait(status: refusal?.status ?? 0, wait)
        throw failure(
          problem, request, at: url, attempts: history.attempts,
          advice: refusal.flatMap(Self.limits))
      case .retry(let delay): wait = delay
      }
      reporter.report(.notice("\(url): \(fault.text); trying again in \(wait.readable)"))
      // Where the host named the time, its gate is closed until then.
      if case .status(_, _?) = fault { continue }
      try await settings.pause.sleep(wait)
    }
  }

  /// Whether an answer's trouble may be over soon: its status says so, or its code does. The codes are those of
  /// go-containerregistry (`transport/error.go`) and containers/common (`retry.go`); registry.redhat.io says
  /// UNKNOWN with 404 for what it does not have.
  func isPassing(_ response: RegistryResponse) -> Bool {
    guard response.status >= 400 else { return false }
    let codes = Set(response.messages.map(\.code))
    if TransferFault.isRetryable(status: response.status) {
      return response.status != 500 || codes.isDisjoint(with: Self.lastingCodes)
    }
    return ![401, 403, 404].contains(response.status) && response.status < 500
      && !codes.isDisjoint(with: Self.passingCodes)
  }

  private static let lastingCodes: Set<String> = [
    "UNSUPPORTED", "DENIED", "NAME_INVALID", "MANIFEST_INVALID",
  ]
  private static let passingCodes: Set<String> = [
    "BLOB_UPLOAD_INVALID", "UNKNOWN", "UNAVAILABLE", "TOOMANYREQUESTS",
  ]
}

extension RegistryResponse {
  /// What the registry says in an error's body.
  var messages: [RegistryMessage] { RegistryMessages.parse(body) }
}

extension TransferFault {
  /// A status that is retried for the code beside it counts as one that is retried for itself.
  fileprivate var asTemporary: TransferFault {
    guard case .status(let code, let wait) = self, !Self.isRetryable(status: code) else {
      return self
    }
    return .status(503, retryAfter: wait)
  }
}
