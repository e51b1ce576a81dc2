import OCISpec
import Reporting

/// What may be said of a credential.
package struct CredentialSummary: Sendable, Hashable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    case password
    case identityToken = "identity token"
    case registryToken = "registry token"
  }

  package let kind: Kind
  /// `nil` where there is none, or where it may itself be the secret.
  package let user: String?
  /// Seconds since 1970, where the secret says when it ends.
  package let expiry: Int64?

  package init(_ credential: Credential) {
    let secret: Secret
    switch credential {
    case .basic(let name, let password):
      (kind, secret) = (.password, password)
      // Some put a token where the name belongs: `ghp_…:` or `ghp_…:x-oauth-basic`.
      let isToken = password.isEmpty || password.reveal() == "x-oauth-basic" || name.count > 64
      user = isToken ? nil : name
    case .identityToken(let name, let token): (kind, secret, user) = (.identityToken, token, name)
    case .registryToken(let token): (kind, secret, user) = (.registryToken, token, nil)
    }
    expiry = secret.expiry
  }

  package var description: String { (user.map { "user \($0.quoted), " } ?? "") + kind.rawValue }

  /// The same with how long it is valid yet, or has not been.
  package func description(now: Int64) -> String {
    guard let expiry else { return description }
    return expiry <= now
      ? "\(description), expired \(Self.readable(now - expiry)) ago"
      : "\(description), valid for \(Self.readable(expiry - now))"
  }

  private static func readable(_ seconds: Int64) -> String {
    switch seconds {
    case ..<120: "\(seconds) s"
    case ..<7200: "\(seconds / 60) min"
    case ..<172_800: "\(seconds / 3600) h"
    default: "\(seconds / 86_400) d"
    }
  }
}

extension Secret {
  /// When it ends, where it is of a kind that says so: a JSON web token (RFC 7519, "exp"), or a password of
  /// Amazon ECR, which is a JSON object in base64 with an "expiration".
  var expiry: Int64? {
    let text = reveal()
    guard text.utf8.count <= 64 << 10 else { return nil }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let claims = parts.count == 3 ? parts[1] : parts.count == 1 ? parts[0] : ""
    let standard = claims.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }
    guard let bytes = decodedLooseBase64(String(standard)), let json = try? JSON(parsing: bytes),
      let seconds = json[parts.count == 3 ? "exp" : "expiration"]?.integerValue,
      (0..<1 << 40).contains(seconds)
    else { return nil }
    return seconds
  }
}
