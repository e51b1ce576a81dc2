import Bindings
import Credentials
import OCISpec
import Synchronization

/// What was learnt about one registry in this run: how it speaks, whom it trusts, which tokens it gave.
///
/// A class, because all requests to the registry share it.
final class RegistrySession: Sendable {
  let registry: Registry
  /// `certs.d`, looked up once.
  let trust: ExtraTrust?
  /// Credentials, by the repository's path; tokens, by what they are for.
  let credentials = SingleFlight<String, FoundCredential?>()
  let tokens = SingleFlight<TokenRequest, CachedToken>()
  let greetings = SingleFlight<Bool, Void>()
  let pushes = PushMemory()
  let referrers = ReferrersMemory()

  private struct State {
    var scheme: RemoteURL.Scheme
    var isGreeted = false
    var challenge: AuthenticationScheme?
    var credentials: [String: FoundCredential?] = [:]
    var tokens: [CachedToken] = []
    /// What the token service refused while it gave the rest.
    var refusedScopes: Set<TokenScope> = []
    var warnings = RegistryWarnings()
  }

  private let state: Mutex<State>

  init(_ registry: Registry, settings: RegistrySettings) {
    self.registry = registry
    let port = registry.port ?? 443
    trust = ExtraTrust.folder(
      forAnyOf: ["\(registry)", "\(registry.host):\(port)"],
      below: settings.network.certificateFolders)
    let scheme: RemoteURL.Scheme = settings.speaksPlainHTTP(registry) ? .http : .https
    state = Mutex(State(scheme: scheme))
  }

  /// The registry's API, `/v2/`.
  func baseURL() throws -> RemoteURL {
    let scheme = state.withLock { $0.scheme }
    return try RemoteURL(parsing: "\(scheme.rawValue)://\(registry.apiHost)/v2/")
  }

  /// The URL as the registry is really spoken to; `nil` for URLs of other hosts.
  func ownURL(_ url: RemoteURL) throws -> RemoteURL? {
    let base = try baseURL()
    if url.hasOrigin(of: base) { return url }
    guard url.host == base.host, base.scheme == .http else { return nil }
    let changed = try RemoteURL(parsing: "http://\(registry.apiHost)\(url.target)")
    let isSame = url.port == base.port || (url.port == 443 && registry.port == nil)
    return isSame ? changed : nil
  }

  var isGreeted: Bool { state.withLock { $0.isGreeted } }
  var scheme: RemoteURL.Scheme { state.withLock { $0.scheme } }

  /// The registry has answered; this is how it is spoken to from now on.
  func greeted(over scheme: RemoteURL.Scheme, challenge: AuthenticationScheme?) {
    state.withLock {
      $0.scheme = scheme
      $0.isGreeted = true
      if let challenge { $0.challenge = challenge }
    }
  }

  /// The last way to authenticate that it offered. gcr.io says it once and then answers 401 without a word.
  var challenge: AuthenticationScheme? {
    get { state.withLock { $0.challenge } }
    set { state.withLock { $0.challenge = newValue } }
  }

  /// The outer `nil`: nobody has looked yet.
  func knownCredential(for path: String) -> FoundCredential?? {
    state.withLock { $0.credentials[path] }
  }

  func remember(_ credential: FoundCredential?, for path: String) {
    state.withLock { $0.credentials[path] = .some(credential) }
  }

  /// A token that allows all of the scopes and is good for a while.
  func token(for request: TokenRequest, at now: Duration) -> CachedToken? {
    state.withLock { state in
      state.tokens.removeAll { now - $0.received >= $0.response.renewalAge }
      return state.tokens.first {
        $0.request.service == request.service && $0.request.realm == request.realm
          && $0.request.credential == request.credential
          && $0.request.scopes.isSuperset(of: request.scopes)
      }
    }
  }

  func remember(_ token: CachedToken) {
    state.withLock { state in
      state.tokens.append(token)
      if state.tokens.count > Self.tokenLimit { state.tokens.removeFirst() }
    }
  }

  func forget(_ token: CachedToken) {
    state.withLock { state in state.tokens.removeAll { $0 == token } }
  }

  private static let tokenLimit = 256

  /// What the registry and its token service were shown, as it was written. Some repeat it where they complain.
  var secrets: [String] {
    state.withLock { state in
      state.credentials.values.compactMap { $0?.credential }.flatMap(\.shownTexts)
        + state.tokens.map { $0.response.token.reveal() }
    }
  }

  /// The scopes without those that the token service will not give.
  func grantable(_ scopes: TokenScopes) -> TokenScopes {
    let refused = state.withLock { $0.refusedScopes }
    return TokenScopes(scopes.scopes.filter { !refused.contains($0) })
  }

  func refuse(_ scopes: some Sequence<TokenScope>) {
    state.withLock { $0.refusedScopes.formUnion(scopes) }
  }

  /// Of an answer's warnings, those that are new.
  func newWarnings(_ lines: [String]) -> [String] {
    guard !lines.isEmpty else { return [] }
    let secrets = secrets
    return state.withLock { $0.warnings.collect(lines.map { $0.hiding(secrets) }) }
  }
}

/// All sessions of a run.
///
/// A class, because requests to one registry must find the same session.
final class RegistrySessions: Sendable {
  private let settings: RegistrySettings
  private let sessions = Mutex<[String: RegistrySession]>([:])

  init(settings: RegistrySettings) { self.settings = settings }

  var all: [RegistrySession] { sessions.withLock { Array($0.values) } }

  subscript(registry: Registry) -> RegistrySession {
    let port = registry.port ?? (settings.speaksPlainHTTP(registry) ? 80 : 443)
    return sessions.withLock { sessions in
      let key = "\(registry.host) \(port)"
      if let session = sessions[key] { return session }
      let session = RegistrySession(registry, settings: settings)
      sessions[key] = session
      return session
    }
  }
}
