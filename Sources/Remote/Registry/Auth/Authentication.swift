import Credentials

/// How one request has shown who we are so far.
struct Authentication {
  enum Shown: Equatable {
    case nothing
    case credential(FoundCredential)
    case token(CachedToken, isFresh: Bool)
  }

  var scopes: TokenScopes
  var shown = Shown.nothing
  /// Answers to a refusal.
  var rounds = 0

  static let roundLimit = 2

  init(scopes: TokenScopes) { self.scopes = scopes }
}
