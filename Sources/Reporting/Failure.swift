/// What kind of thing went wrong. The command line turns it into the exit code and nothing else does.
package enum FailureKind: Sendable, Equatable {
  /// The command line was used wrongly.
  case usage
  /// A definition, image, archive or byte stream is not what it must be.
  case data
  /// A file, folder, tag or remote document does not exist.
  case notFound
  /// The network or a server stayed unreachable after all retries.
  case unavailable
  /// Our own fault.
  case software
  /// An output cannot be written.
  case cannotWrite
  /// An input that exists cannot be read.
  case cannotRead
  /// The far side broke its protocol.
  case protocolBroken
  /// The far side refused us.
  case denied
}

/// An error that people read.
///
/// `description` says what was being done, to what, what was expected and found, and the way out; lower
/// case, no full stop, no secret and no query string.
package protocol Failure: Error, CustomStringConvertible, Sendable {
  var kind: FailureKind { get }
}

/// An error with the sentence that says what was going on when it happened. Added once, where a stage ends.
package struct ContextualFailure: Failure {
  package let activity: String
  package let underlying: any Error

  package init(_ activity: String, _ underlying: any Error) {
    self.activity = activity
    self.underlying = underlying
  }

  package var kind: FailureKind { (underlying as? any Failure)?.kind ?? .software }
  package var description: String { "\(activity): \(underlying)" }
}

/// Several independent failures that the user can mend in one go.
package struct FailureList: Failure {
  package let failures: [any Failure]

  /// - Precondition: there is at least one failure.
  package init(_ failures: [any Failure]) {
    precondition(!failures.isEmpty, "a failure list without a failure is a success")
    self.failures = failures
  }

  package var kind: FailureKind { failures[0].kind }
  package var description: String { failures.map(\.description).joined(separator: "\n") }
}
