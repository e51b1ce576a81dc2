package import Reporting

/// A service's refusal in its own words.
package struct AWSServiceError: Failure, Equatable {
  /// As IAM policies name it: `ecr:GetAuthorizationToken`.
  package let action: String
  package let host: String
  package let status: Int
  /// `AccessDeniedException`; empty where the answer has none.
  package let code: String
  /// One line, without what the service repeats of the request.
  package let message: String
  /// Where the credentials came from; `nil` for a request that needs none.
  package let source: String?
  /// The service's time.
  package let date: Int64?
  package let retryAfter: Duration?
  package var attempts = 1

  package var kind: FailureKind {
    if isTransient { return .unavailable }
    if isDenial || blamesCredentials || blamesSignature || status == 403 { return .denied }
    if code.hasPrefix("InvalidParameter") || code.hasPrefix("Validation") { return .data }
    return code.hasSuffix("NotFoundException") ? .notFound : .protocolBroken
  }

  package var description: String {
    let words = [code.printable, message.printable].filter { !$0.isEmpty }
    return "calling \(action) at \(host.printable): status \(status)"
      + (words.isEmpty ? "" : ", \(words.joined(separator: ": "))")
      + (source.map { "; the AWS credentials are from \($0)" } ?? "") + advice
      + (attempts > 1 ? "; gave up after \(attempts) attempts" : "")
  }

  private var advice: String {
    if isDenial { return "; allow \(action) to them in IAM" }
    if blamesSignature { return "; check the secret access key and this machine's clock" }
    if blamesCredentials { return "; renew them" }
    return ""
  }
}

extension AWSServiceError {
  var isTransient: Bool {
    status >= 500 || status == 429 || code.contains("Throttl") || Self.transient.contains(code)
  }

  var isDenial: Bool {
    ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"]
      .contains(code)
  }

  /// Whether other credentials may do better.
  var blamesCredentials: Bool { code.hasPrefix("ExpiredToken") || Self.unknownKey.contains(code) }

  /// Whether the key or the clock is wrong.
  var blamesSignature: Bool { Self.wrongSignature.contains(code) }

  // Of AWS's SDKs: aws-sdk-go-v2, aws/retry/standard.go.
  private static let transient: Set<String> = [
    "RequestTimeout", "RequestTimeoutException", "ServerException", "ServiceUnavailable",
    "ServiceUnavailableException", "InternalFailure", "InternalServerError", "RequestLimitExceeded",
    "BandwidthLimitExceeded", "TooManyRequestsException", "SlowDown", "PriorRequestNotComplete",
    "TransactionInProgressException",
    // What an identity provider that has just been set up, or is slow, makes of a good token.
    "IDPCommunicationError", "InvalidIdentityToken",
  ]
  private static let unknownKey: Set<String> = [
    "UnrecognizedClient", "UnrecognizedClientException", "InvalidClientTokenId",
    "InvalidAccessKeyId", "InvalidToken",
  ]
  private static let wrongSignature: Set<String> = [
    "InvalidSignature", "InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired",
    "RequestTimeTooSkewed", "RequestInTheFuture",
  ]
}
