package import OCISpec

/// A password or token. Prints as `…`: only who sends it asks for its text.
package struct Secret: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
  private let text: String

  package init(_ text: String) { self.text = text }

  /// The secret itself, for a header or a request's body and nothing else.
  package func reveal() -> String { text }

  package var isEmpty: Bool { text.isEmpty }
  package var description: String { "…" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

/// What a registry is shown.
package enum Credential: Sendable, Hashable {
  case basic(user: String, password: Secret)
  /// A refresh token that a token service changes for bearer tokens (OAuth2).
  case identityToken(user: String?, Secret)
  /// A bearer token to be sent as it is.
  case registryToken(Secret)
}

/// A credential with where it came from, in words for people: `credHelpers of "/root/.docker/config.json":
/// docker-credential-ecr-login`.
package struct FoundCredential: Sendable, Hashable {
  package let credential: Credential
  package let source: String
  /// Whether another lookup may give another one, as the first was made for a limited time.
  package let isRenewable: Bool

  package init(_ credential: Credential, source: String, isRenewable: Bool = false) {
    self.credential = credential
    self.source = source
    self.isRenewable = isRenewable
  }
}

/// Finds the credential for a repository. What it gives is meant for that repository's registry and for nobody
/// else; `nil` is anonymous.
package struct CredentialProvider: Sendable {
  /// - Parameters:
  ///   - repository: what is to be read or written.
  ///   - rejected: what the registry has refused a moment ago; a provider with something fresher gives that.
  package let find:
    @Sendable (_ repository: Repository, _ rejected: FoundCredential?) async throws ->
      FoundCredential?

  package init(
    find: @escaping @Sendable (Repository, FoundCredential?) async throws -> FoundCredential?
  ) { self.find = find }

  package static let anonymous = CredentialProvider { _, _ in nil }
}
