/// What one source of credentials said when it was asked, for people who wonder why it is this credential.
package struct CredentialSourceReport: Sendable, Equatable {
  package enum Outcome: String, Sendable {
    case won, nothing, failed
    case notAsked = "not asked"
  }

  /// What people call the source.
  package let source: String
  package let outcome: Outcome
  /// Its file, where it has one.
  package var path: String?
  /// The key that matched.
  package var key: String?
  /// The helper program that has it.
  package var helper: String?
  package var credential: CredentialSummary?
  /// In words: `no such file`, `"ghcr.io": user "alice", password`.
  package let said: String
  package var error: (any Error)?

  package init(
    _ source: String, _ outcome: Outcome, _ said: String, path: String? = nil, key: String? = nil,
    helper: String? = nil, credential: CredentialSummary? = nil, error: (any Error)? = nil
  ) {
    self.source = source
    self.outcome = outcome
    self.said = said
    self.path = path
    self.key = key
    self.helper = helper
    self.credential = credential
    self.error = error
  }

  package static func == (a: Self, b: Self) -> Bool {
    a.source == b.source && a.outcome == b.outcome && a.said == b.said && a.path == b.path
      && a.key == b.key && a.helper == b.helper && a.credential == b.credential
  }
}
