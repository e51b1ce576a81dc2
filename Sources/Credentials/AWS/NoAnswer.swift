package import Reporting

/// Why a service request got no answer. What a ``ServiceExchange`` throws.
package struct NoAnswer: Failure, Equatable {
  package enum Reason: Sendable, Equatable {
    /// The host's name is not known.
    case unknownHost
    /// The host has no certificate that can be trusted.
    case untrusted
    /// A connection that is refused, reset or slow: something that may pass.
    case interrupted
  }

  package let reason: Reason
  /// What went wrong in words, without a query string.
  package let detail: String

  package init(_ reason: Reason, _ detail: String) {
    self.reason = reason
    self.detail = detail
  }

  package var kind: FailureKind { .unavailable }
  package var description: String { detail.printable }
}
