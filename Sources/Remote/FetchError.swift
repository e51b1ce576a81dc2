package import OCISpec
package import Reporting

/// What can go wrong when a file is fetched. URLs in it print without query and user information.
package enum FetchError: Failure, Equatable {
  case malformedURL(String, URLProblem)
  /// Plain http without a digest that tells what must come.
  case unpinnedPlainHTTP(RemoteURL)
  case unsupportedDigest(Digest)
  case offline(RemoteURL)
  case redirectRefused(RemoteURL, to: RemoteURL?, RedirectProblem)
  /// A request failed for good.
  case failed(RemoteURL, at: RemoteURL, TransferFault, attempts: Int)
  case askedToWait(RemoteURL, status: Int, Duration)
  case digestMismatch(
    RemoteURL, expected: Digest, found: Digest, byteCount: Int64, contentEncoding: String?)
  case tooLarge(RemoteURL, limit: Int64)
  case unusableProxy(String)
  case noTrustStore([String])
  case noCertificates(in: String)

  package var kind: FailureKind {
    switch self {
    case .malformedURL, .unpinnedPlainHTTP, .unsupportedDigest, .digestMismatch, .tooLarge,
      .noCertificates:
      .data
    case .offline, .askedToWait: .unavailable
    case .redirectRefused: .protocolBroken
    case .failed(_, _, let fault, _): fault.kind
    case .unusableProxy: .usage
    case .noTrustStore: .notFound
    }
  }
}

package enum URLProblem: Sendable, Equatable {
  case scheme, host, port, controlCharacter
}

extension TransferFault {
  var kind: FailureKind {
    switch self {
    case .status(404, _), .status(410, _): .notFound
    case .status(401, _), .status(403, _), .status(407, _), .status(451, _),
      .proxyWantsAuthentication:
      .denied
    case .malformedResponse: .protocolBroken
    case .status: isRetryable ? .unavailable : .protocolBroken
    default: .unavailable
    }
  }
}
