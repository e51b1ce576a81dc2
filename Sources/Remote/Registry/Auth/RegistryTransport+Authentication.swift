import AsyncHTTPClient
import Credentials
import NIOHTTP1
import OCISpec
import Reporting

extension RegistryTransport {
  /// The `Authorization` for a request, as the registry wants it; `nil` where it wants none or there is none.
  func authorization(
    _ authentication: inout Authentication, for request: RegistryRequest,
    in session: RegistrySession
  ) async throws -> String? {
    authentication.shown = .nothing
    guard let challenge = session.challenge else { return nil }
    let found = try await credential(for: request.repository, in: session)
    if let found { try allow(found, to: request.url, for: request) }
    if let found, case .registryToken(let token) = found.credential {
      authentication.shown = .credential(found)
      return "Bearer \(try headerValue(token.reveal(), of: found, for: request))"
    }
    switch challenge {
    case .basic:
      guard let found, case .basic(let user, let password) = found.credential else { return nil }
      authentication.shown = .credential(found)
      return try Self.basic(user: user, password: password)
        ?? headerValue("\r", of: found, for: request)
    case .bearer(let realm, let service, _, _):
      let url: RemoteURL
      do { url = try Realm.url(realm, of: session.baseURL()) } catch let problem as Realm.Problem {
        throw failure(.protocolBroken(problem.text), request)
      }
      if let found { try allow(found, to: url, for: request) }
      let wanted = TokenRequest(
        realm: url, service: service, credential: found,
        scopes: session.grantable(authentication.scopes))
      let (token, isFresh) = try await token(wanted, for: request, in: session)
      authentication.shown = .token(token, isFresh: isFresh)
      return "Bearer \(token.response.token.reveal())"
    }
  }

  /// Whether a refusal can be answered by showing something else: registry.md, C.4.
  func canAnswer(
    _ response: HTTPClientResponse, _ authentication: inout Authentication,
    _ request: RegistryRequest, in session: RegistrySession
  ) async throws -> Bool {
    guard authentication.rounds < Authentication.roundLimit else { return false }
    authentication.rounds += 1
    if response.status == .unauthorized {
      let challenges = Challenge.parse(response.headers["WWW-Authenticate"])
      if let offered = Challenge.preferred(in: challenges) { session.challenge = offered }
    }
    guard let challenge = session.challenge else { return false }
    switch (authentication.shown, challenge) {
    case (.credential(let found), _):
      return try await renew(found, for: request.repository, in: session)
    case _ where response.status != .unauthorized: return false
    case (.nothing, .bearer): return true
    case (_, .basic):
      let found = try await credential(for: request.repository, in: session)
      return found != nil
    case (.token(let token, let isFresh), .bearer(_, _, let scope, _)):
      let wanted = session.grantable(TokenScopes(challenge: scope ?? ""))
      if !authentication.scopes.isSuperset(of: wanted) {
        authentication.scopes = authentication.scopes.union(wanted)
        return true
      }
      if isFresh { return false }
      session.forget(token)
      return true
    }
  }

  /// `nil` where a user or password cannot be written so.
  static func basic(user: String, password: Secret) -> String? {
    let text = "\(user):\(password.reveal())"
    guard !user.contains(":"), !text.utf8.contains(where: { [0, 10, 13].contains($0) }) else {
      return nil
    }
    return HTTPClient.Authorization.basic(username: user, password: password.reveal()).headerValue
  }

  private func headerValue(
    _ text: String, of found: FoundCredential, for request: RegistryRequest
  ) throws -> String {
    guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw failure(.unusableCredential(source: found.source), request)
    }
    return text
  }

  private func credential(
    for repository: Repository, in session: RegistrySession
  ) async throws -> FoundCredential? {
    if let known = session.knownCredential(for: repository.path) { return known }
    return try await session.credentials.value(for: repository.path) {
      if let known = session.knownCredential(for: repository.path) { return known }
      let found = try await credentials.find(repository, nil)
      session.remember(found, for: repository.path)
      return found
    }
  }

  /// Whether there is another credential for one that was refused.
  private func renew(
    _ refused: FoundCredential, for repository: Repository, in session: RegistrySession
  ) async throws -> Bool {
    let fresh = try await session.credentials.value(for: repository.path) {
      // Somebody may have done it a moment ago.
      if let known = session.knownCredential(for: repository.path), known != refused {
        return known
      }
      let found = try await credentials.find(repository, refused)
      if let found, found != refused { session.remember(found, for: repository.path) }
      return found
    }
    return fresh != nil && fresh != refused
  }

  /// - Throws: where anybody on the way could read it.
  private func allow(
    _ found: FoundCredential, to url: RemoteURL, for request: RegistryRequest
  ) throws {
    guard url.scheme == .http, !url.isLoopback, !registries.allowsPlaintextCredentials else {
      return
    }
    throw failure(.plaintextCredential(source: found.source), request, at: url)
  }
}
