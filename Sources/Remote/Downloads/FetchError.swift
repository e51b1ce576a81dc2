package import Bindings
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
  /// The value itself is not here: it may hold a password.
  case unusableProxy(variable: String, ProxyProblem)
  case noTrustStore([String])
  case unusableTrust(TrustStore.Source, TrustProblem)
  /// Something that is no download of ours stands where one is kept.
  case partialNotAFile(path: String, FileStatus.Kind)

  package var kind: FailureKind {
    switch self {
    case .malformedURL, .unpinnedPlainHTTP, .unsupportedDigest, .digestMismatch, .tooLarge,
      .unusableTrust(_, .noCertificates), .unusableTrust(_, .noKey):
      .data
    case .offline, .askedToWait: .unavailable
    case .redirectRefused: .protocolBroken
    case .failed(_, _, let fault, _): fault.kind
    case .unusableProxy: .usage
    case .noTrustStore, .unusableTrust(_, .missing), .unusableTrust(_, .noPartner): .notFound
    case .unusableTrust(_, .otherKind), .unusableTrust(_, .unreadable): .cannotRead
    case .partialNotAFile: .cannotWrite
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
