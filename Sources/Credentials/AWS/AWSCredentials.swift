/// What requests to AWS are signed with, and where it came from, in words for people.
package struct AWSCredentials: Sendable, Hashable {
  package let accessKeyID: String
  package let secretAccessKey: Secret
  package let sessionToken: Secret?
  /// Seconds since 1970; `nil` where nobody said.
  package let expiration: Int64?
  package let source: String

  /// - Throws: ``AWSError/malformedCredentials(source:problem:)`` where a part could not stand in a header,
  ///   as it comes from files, programs and servers.
  package init(
    accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil,
    expiration: Int64? = nil, source: String
  ) throws(AWSError) {
    let parts = [
      ("access key id", accessKeyID), ("secret access key", secretAccessKey),
      ("session token", sessionToken ?? "-"),
    ]
    for (name, value) in parts {
      guard !value.isEmpty, value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        throw .malformedCredentials(
          source: source, problem: "the \(name) is empty or has characters that no key has")
      }
    }
    self.accessKeyID = accessKeyID
    self.secretAccessKey = Secret(secretAccessKey)
    self.sessionToken = sessionToken.map(Secret.init)
    self.expiration = expiration
    self.source = source
  }
}

/// What one place had to say when it was asked for credentials. A place that is configured and fails throws.
enum AWSOutcome: Sendable {
  case found(AWSCredentials)
  case absent(String)
}

/// What every place said that was asked, in order; never a secret.
package typealias AWSTrail = [(provider: String, outcome: String)]
