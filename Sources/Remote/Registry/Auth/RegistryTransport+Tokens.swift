import Credentials
import NIOCore
import NIOHTTP1
import OCISpec
import Reporting

extension RegistryTransport {
  /// A token that allows what is asked for: one that is here, or a new one. However many ask at once, one of them
  /// goes to the token service.
  /// - Returns: whether it was fetched just now.
  func token(
    _ wanted: TokenRequest, for request: RegistryRequest, in session: RegistrySession
  ) async throws -> (CachedToken, isFresh: Bool) {
    if let token = session.token(for: wanted, at: settings.pause.uptime()) { return (token, false) }
    let token = try await session.tokens.value(for: wanted) {
      if let token = session.token(for: wanted, at: settings.pause.uptime()) { return token }
      let token = try await fetchGrantable(wanted, for: request, in: session)
      session.remember(token)
      return token
    }
    return (token, true)
  }

  /// Asks for the first scope alone where the service refuses all of them together: the others are for mounts, and a
  /// push does not need those.
  private func fetchGrantable(
    _ wanted: TokenRequest, for request: RegistryRequest, in session: RegistrySession
  ) async throws -> CachedToken {
    do { return try await fetch(wanted, for: request, in: session) } catch let error
      as RegistryFailure
    {
      guard error.isRefusal, let first = wanted.scopes.scopes.first,
        wanted.scopes.scopes.count > 1
      else { throw error }
      var less = wanted
      less.scopes = TokenScopes([first])
      let token = try await fetch(less, for: request, in: session)
      session.refuse(wanted.scopes.scopes.dropFirst())
      return token
    }
  }

  private func fetch(
    _ wanted: TokenRequest, for request: RegistryRequest, in session: RegistrySession
  ) async throws -> CachedToken {
    let forms = wanted.forms
    for (index, form) in forms.enumerated() {
      let asking = try asking(wanted, form, for: request)
      let response = try await retrying(asking.request) { try await ask(asking, in: session) }
      if response.status == 200 {
        let received = settings.pause.uptime()
        do throws(TokenResponseError) {
          let parsed = try TokenResponse(parsing: response.body)
          return CachedToken(request: wanted, response: parsed, received: received)
        } catch {
          throw failure(.protocolBroken(error.description), asking.request, at: response.url)
        }
      }
      let isLast = index == forms.count - 1
      if isLast || !TokenRequest.isUnknown(form, status: response.status) {
        throw refusal(response, wanted, asking.request)
      }
      reporter.detail("\(response.url): status \(response.status); asking in another way")
    }
    throw failure(.protocolBroken("no way to ask its token service"), request)
  }

  private struct Asking {
    var request: RegistryRequest
    var authorization: String?
    var holdsSecret = false
  }

  private func asking(
    _ wanted: TokenRequest, _ form: TokenRequest.Form, for request: RegistryRequest
  ) throws -> Asking {
    var asking = RegistryRequest(
      method: .GET, url: wanted.realm, repository: request.repository, activity: request.activity)
    asking.responseLimit = TokenResponse.byteLimit
    let service = wanted.service.map { [("service", $0)] } ?? []
    let scopes = wanted.scopes.scopes.map(\.description)
    func fields(_ pairs: [(String, String)]) -> String {
      pairs.map { "\($0.0)=\($0.1.percentEncoded)" }.joined(separator: "&")
    }
    guard case .get(let user, let password) = form else {
      var grant: [(String, String)] = []
      switch form {
      case .refreshToken(let token):
        grant = [("grant_type", "refresh_token"), ("refresh_token", token.reveal())]
      case .password(let user, let password):
        grant = [
          ("grant_type", "password"), ("username", user), ("password", password.reveal()),
        ]
      case .get: break
      }
      let scope = scopes.isEmpty ? [] : [("scope", scopes.joined(separator: " "))]
      asking.method = .POST
      asking.headers = [("Content-Type", "application/x-www-form-urlencoded")]
      asking.body = .bytes(
        Array(fields(grant + service + [("client_id", "ociforge")] + scope).utf8))
      return Asking(request: asking, holdsSecret: true)
    }
    let account = user.map { [("account", $0)] } ?? []
    let query = fields(service + scopes.map { ("scope", $0) } + account)
    if !query.isEmpty { asking.url = asking.url.appending(query: query) }
    guard let user, let password else { return Asking(request: asking) }
    guard let header = Self.basic(user: user, password: password) else {
      throw failure(.unusableCredential(source: wanted.credential?.source ?? ""), asking)
    }
    return Asking(request: asking, authorization: header)
  }

  private func ask(_ asking: Asking, in session: RegistrySession) async throws -> RegistryResponse {
    let deadline = NIODeadline.now() + TimeAmount(registries.tokenTimeout)
    let (response, url) = try await follow(
      asking.request, authorization: asking.authorization, in: session,
      staysAtHome: asking.holdsSecret, deadline: deadline)
    return try await collect(response, from: url, for: asking.request)
  }

  private func refusal(
    _ response: RegistryResponse, _ wanted: TokenRequest, _ asking: RegistryRequest
  ) -> RegistryFailure {
    guard [400, 401, 403].contains(response.status) else {
      return failure(.status(response.status, response.messages), asking, at: response.url)
    }
    let registry = asking.repository.registry
    return failure(
      .denied(
        status: response.status, response.messages, source: wanted.credential?.source), asking,
      at: response.url,
      advice: Self.advice(for: registry, hasCredential: wanted.credential != nil))
  }
}

extension RegistryFailure {
  fileprivate var isRefusal: Bool { if case .denied = problem { true } else { false } }
}
