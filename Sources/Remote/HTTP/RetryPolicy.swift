/// Whether a download that failed is tried again, and when: registry.md, D.1 and D.2.
package struct RetryPolicy: Sendable, Equatable {
  /// Attempts in a row that gain no byte, the first one included.
  package var attemptLimit = 5
  /// Attempts that go on where a cut body ended.
  package var resumeLimit = 10
  package var firstDelay = Duration.milliseconds(500)
  package var longestDelay = Duration.seconds(30)
  package var longestRetryAfter = Duration.seconds(120)

  package init() {}

  /// What was tried so far, the failed attempt included.
  package struct History: Sendable, Equatable {
    package private(set) var attempts = 0
    package private(set) var resumes = 0

    package init(attempts: Int = 0, resumes: Int = 0) {
      self.attempts = attempts
      self.resumes = resumes
    }

    /// An attempt that brought bytes which the next one can build on starts the count anew.
    package mutating func record(gainedBytes: Bool) {
      attempts = gainedBytes ? 1 : attempts + 1
      if gainedBytes { resumes += 1 }
    }
  }

  package enum Decision: Sendable, Equatable {
    case retry(after: Duration)
    case giveUp
    /// The server asks for a longer wait than anyone sits through.
    case askedToWait(Duration)
  }

  /// - Parameter jitter: random, from 0 up to 1.
  package func decision(
    after fault: TransferFault, history: History, jitter: Double
  ) -> Decision {
    guard fault.isRetryable else { return .giveUp }
    let limit = if case .malformedResponse = fault { 2 } else { attemptLimit }
    guard history.attempts < limit, history.resumes <= resumeLimit else { return .giveUp }
    if case .status(_, let asked?) = fault {
      return asked > longestRetryAfter ? .askedToWait(asked) : .retry(after: asked)
    }
    let doublings = min(max(history.attempts, 1) - 1, 16)
    let delay = min(longestDelay, firstDelay * (1 << doublings))
    return .retry(after: delay * (0.5 + jitter / 2))
  }
}

extension Duration {
  /// A wait as people read it: `0.3 s`, `120 s`.
  var readable: String {
    let tenths = components.attoseconds / 100_000_000_000_000_000
    return tenths == 0 ? "\(components.seconds) s" : "\(components.seconds).\(tenths) s"
  }
}
