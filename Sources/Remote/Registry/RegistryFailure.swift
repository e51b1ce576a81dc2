package import OCISpec
package import Reporting

/// Why something at a registry did not work, with the request that showed it.
package struct RegistryFailure: Failure, Equatable {
  package enum Problem: Error, Sendable, Equatable {
    /// No answer came.
    case network(TransferFault)
    /// An answer that is not the one that was asked for.
    case status(Int, [RegistryMessage])
    /// The registry asks for a longer wait than anyone sits through.
    case askedToWait(status: Int, Duration)
    case redirectRefused(to: RemoteURL?, RedirectProblem)
    /// Credentials were refused, or there were none; `source` says where they came from.
    case denied(status: Int, [RegistryMessage], source: String?)
    /// A credential that anybody on the way could read was not sent.
    case plaintextCredential(source: String)
    /// A credential with characters that no header can carry.
    case unusableCredential(source: String)
    /// The answer breaks the protocol; the text says how.
    case protocolBroken(String)
    case digestMismatch(expected: Digest, found: Digest)
    case sizeMismatch(expected: Int64, found: Int64)
    case tooLarge(limit: Int)
    case unsupportedMediaType(String)
    /// A local file is not what its descriptor says; nothing of it was committed.
    case localCorruption(path: String)
    case notARegistry
    /// A layer that its publisher keeps elsewhere.
    case foreignLayer
    /// Whatever needs the network where it is forbidden.
    case offline
  }

  /// What was being done, to what.
  package var activity: String
  package var method: String
  package var url: RemoteURL
  package var problem: Problem
  package var attempts: Int
  /// What to do about it, where that is known.
  package var advice: String?

  package init(
    _ activity: String, _ method: String, _ url: RemoteURL, _ problem: Problem, attempts: Int = 1,
    advice: String? = nil
  ) {
    self.activity = activity
    self.method = method
    self.url = url
    self.problem = problem
    self.attempts = attempts
    self.advice = advice
  }

  package var kind: FailureKind {
    switch problem {
    case .network(let fault): fault.kind
    case .status(404, _), .status(410, _): .notFound
    case .status(401, _), .status(403, _), .denied, .plaintextCredential, .unusableCredential:
      .denied
    case .status(let code, _):
      TransferFault.isRetryable(status: code) ? .unavailable : .protocolBroken
    case .askedToWait, .offline: .unavailable
    case .redirectRefused, .protocolBroken, .notARegistry: .protocolBroken
    case .foreignLayer: .notFound
    case .digestMismatch, .sizeMismatch, .tooLarge, .unsupportedMediaType, .localCorruption: .data
    }
  }
}
