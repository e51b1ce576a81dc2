import Credentials
import OCISpec

/// What is asked of a token service.
struct TokenRequest: Sendable, Hashable {
  var realm: RemoteURL
  var service: String?
  var credential: FoundCredential?
  var scopes: TokenScopes

  /// The same for the same scopes in another order.
  static func == (a: Self, b: Self) -> Bool {
    a.realm == b.realm && a.service == b.service && a.credential == b.credential
      && a.scopes.cacheKey == b.scopes.cacheKey
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(realm)
    hasher.combine(service)
    hasher.combine(scopes.cacheKey)
  }

  /// How tokens are asked for: https://distribution.github.io/distribution/spec/auth/token/ and …/oauth/.
  enum Form: Sendable, Hashable {
    /// GET, with a user and a password where there are any.
    case get(user: String?, password: Secret?)
    /// POST of an OAuth2 grant, RFC 6749, sections 4.3 and 6.
    case password(user: String, Secret)
    case refreshToken(Secret)
  }

  /// The forms to try, the next one where a service does not know one: Google's has no POST (404), Artifactory
  /// answers it with 401, Azure's password grant with 400.
  var forms: [Form] {
    switch credential?.credential {
    case nil, .registryToken: [.get(user: nil, password: nil)]
    case .basic(let user, let password):
      [.get(user: user, password: password), .password(user: user, password)]
    case .identityToken(let user?, let token) where !user.isEmpty:
      [.refreshToken(token), .get(user: user, password: token)]
    case .identityToken(_, let token): [.refreshToken(token)]
    }
  }

  /// Whether an answer says that the service does not know a form.
  static func isUnknown(_ form: Form, status: Int) -> Bool {
    switch form {
    case .get: [404, 405].contains(status)
    case .password, .refreshToken: [400, 401, 404, 405].contains(status)
    }
  }
}

struct CachedToken: Sendable, Hashable {
  let request: TokenRequest
  let response: TokenResponse
  /// In ``Pause/uptime``.
  let received: Duration

  func hash(into hasher: inout Hasher) { hasher.combine(request) }
}
