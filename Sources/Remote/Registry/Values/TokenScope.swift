import OCISpec

/// What a bearer token allows on one resource:
/// https://distribution.github.io/distribution/spec/auth/scope/.
struct TokenScope: Sendable, Hashable, CustomStringConvertible {
  /// Type and name: `repository:library/alpine`. The name may hold colons.
  let resource: String
  fileprivate(set) var actions: Set<String>

  init(resource: String, actions: Set<String>) {
    self.resource = resource
    self.actions = actions
  }

  static func pull(_ repository: Repository) -> TokenScope { of(repository, ["pull"]) }
  static func push(_ repository: Repository) -> TokenScope { of(repository, ["pull", "push"]) }

  /// With all three, as IBM's registry wants it.
  static func delete(_ repository: Repository) -> TokenScope {
    of(repository, ["pull", "push", "delete"])
  }

  private static func of(_ repository: Repository, _ actions: Set<String>) -> TokenScope {
    TokenScope(resource: "repository:\(repository.path)", actions: actions)
  }

  /// Parses `type:name:action,action`: the first and the last colon count. `nil` where the text is none.
  init?(_ text: String) {
    guard let first = text.firstIndex(of: ":"), let last = text.lastIndex(of: ":"), first < last,
      text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else { return nil }
    let actions = text[text.index(after: last)...].split(separator: ",").map(String.init)
    guard !actions.isEmpty else { return nil }
    self.init(resource: String(text[..<last]), actions: Set(actions))
  }

  /// `repository:library/alpine:pull,push`: pull and push first, as everybody writes them.
  var description: String {
    let usual = ["pull", "push"]
    let ordered = usual.filter(actions.contains) + actions.subtracting(usual).sorted()
    return "\(resource):\(ordered.joined(separator: ","))"
  }

  func allows(_ other: TokenScope) -> Bool {
    resource == other.resource && (actions.contains("*") || actions.isSuperset(of: other.actions))
  }
}

/// The scopes of one token, one for each resource. The order is the one they are asked for in: a few registries
/// look at the first alone.
struct TokenScopes: Sendable, Hashable {
  private(set) var scopes: [TokenScope] = []

  /// - Parameter scopes: the most important one first.
  init(_ scopes: some Sequence<TokenScope>) {
    for scope in scopes { insert(scope) }
  }

  /// Parses the scope of a challenge: scopes with blanks between them, of which the first 32 that are any count.
  init(challenge: String) {
    self.init(challenge.split(separator: " ").lazy.compactMap { TokenScope(String($0)) }.prefix(32))
  }

  /// These, and behind them what `other` adds.
  func union(_ other: TokenScopes) -> TokenScopes { TokenScopes(scopes + other.scopes) }

  func isSuperset(of other: TokenScopes) -> Bool {
    other.scopes.allSatisfy { wanted in scopes.contains { $0.allows(wanted) } }
  }

  /// One text for all orders.
  var cacheKey: String { scopes.map(\.description).sorted().joined(separator: " ") }

  private mutating func insert(_ scope: TokenScope) {
    if let index = scopes.firstIndex(where: { $0.resource == scope.resource }) {
      scopes[index].actions.formUnion(scope.actions)
    } else {
      scopes.append(scope)
    }
  }
}
