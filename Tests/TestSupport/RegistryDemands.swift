import Foundation
import NIOCore
import NIOHTTP1
package import Server
import Synchronization

/// A registry that wants a name and a password with every request.
package func demandBasic(
  user: String, password: String
) -> (@escaping RequestHandler) -> RequestHandler {
  { registry in
    { request in
      guard request.basicCredential == "\(user):\(password)" else {
        return unauthorized(challenge: #"Basic realm="test""#)
      }
      return try await registry(request)
    }
  }
}

/// A registry that wants a token from its own `/token`, made for what is asked for.
package final class ScriptedTokenService: Sendable {
  /// `USER:PASSWORD`; `nil` gives tokens to everybody.
  private let credential: String?
  /// What `expires_in` says.
  private let lifetime: Int
  private let state = Mutex(State())

  private struct State {
    /// What each token allows, as `NAME:ACTION`.
    var grants: [String: Set<String>] = [:]
    var scopes: [String] = []
  }

  package init(credential: String? = nil, lifetime: Int = 300) {
    self.credential = credential
    self.lifetime = lifetime
  }

  /// The scopes of every request for a token that was granted, joined by blanks.
  package var grantedScopes: [String] { state.withLock { $0.scopes } }

  /// Makes every token that was given worthless.
  package func revokeAll() { state.withLock { $0.grants = [:] } }

  /// What stands before a registry.
  package func wrap(_ registry: @escaping RequestHandler) -> RequestHandler {
    { request in
      let path = String(request.target.prefix { $0 != "?" })
      if path == "/token" { return try await self.token(for: request) }
      let needed = Self.need(of: request.method, path)
      let scope = needed.map { #",scope="repository:\#($0.name):\#($0.actions)""# } ?? ""
      let host = request.headers.first(name: "Host") ?? ""
      let challenge = #"Bearer realm="http://\#(host)/token",service="test"\#(scope)"#
      guard let token = request.authorization("Bearer"),
        let grant = self.state.withLock({ $0.grants[token] })
      else { return unauthorized(challenge: challenge) }
      let actions = needed?.actions.split(separator: ",") ?? []
      guard actions.allSatisfy({ grant.contains("\(needed?.name ?? ""):\($0)") }) else {
        return unauthorized(challenge: challenge + #",error="insufficient_scope""#)
      }
      return try await registry(request)
    }
  }

  /// By GET with Basic, or by POST as OAuth 2 has it.
  private func token(for request: ServerRequest) async throws -> ServerResponse {
    var body: [UInt8] = []
    while let piece = try await request.body.next() { body += piece.readableBytesView }
    let form =
      URLComponents(
        string: request.method == .POST
          ? "?" + String(decoding: body, as: UTF8.self) : request.target)?.queryItems ?? []
    let value = { (name: String) in form.first { $0.name == name }?.value ?? "" }
    let offered =
      request.method == .POST
      ? "\(value("username")):\(value("password"))" : request.basicCredential
    if let credential, offered != credential {
      return unauthorized(challenge: #"Basic realm="test""#)
    }
    let scopes = form.filter { $0.name == "scope" }
      .flatMap { ($0.value ?? "").split(separator: " ").map(String.init) }
    let token = state.withLock { state in
      let token = "token-\(state.scopes.count)"
      state.scopes.append(scopes.joined(separator: " "))
      state.grants[token] = Set(scopes.flatMap(Self.grants))
      return token
    }
    let text = #"{"token":"\#(token)","access_token":"\#(token)","expires_in":\#(lifetime)}"#
    return ServerResponse(
      .ok, headers: ["Content-Type": "application/json"], body: .bytes(Array(text.utf8)))
  }

  /// `repository:a/b:pull,push` as `a/b:pull` and `a/b:push`.
  private static func grants(_ scope: String) -> [String] {
    let parts = scope.split(separator: ":")
    guard parts.count >= 3, parts[0] == "repository" else { return [] }
    let name = parts[1..<(parts.count - 1)].joined(separator: ":")
    return parts[parts.count - 1].split(separator: ",").map { "\(name):\($0)" }
  }

  private static func need(
    of method: HTTPMethod, _ path: String
  ) -> (name: String, actions: String)? {
    guard let match = path.wholeMatch(of: /\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/.*/)
    else { return nil }
    let name = String(match.1), isUpload = path.contains("/blobs/uploads/")
    switch method {
    case .GET where !isUpload, .HEAD where !isUpload: return (name, "pull")
    case .DELETE where !isUpload: return (name, "delete")
    default: return (name, "pull,push")
    }
  }
}

private func unauthorized(challenge: String) -> ServerResponse {
  ServerResponse(
    .unauthorized,
    headers: ["WWW-Authenticate": challenge, "Content-Type": "application/json"],
    body: .bytes(Array(#"{"errors":[{"code":"UNAUTHORIZED"}]}"#.utf8)))
}

extension ServerRequest {
  fileprivate func authorization(_ scheme: String) -> String? {
    guard let value = headers.first(name: "Authorization"), value.hasPrefix("\(scheme) ") else {
      return nil
    }
    return String(value.dropFirst(scheme.count + 1))
  }

  /// `USER:PASSWORD`
  fileprivate var basicCredential: String? {
    authorization("Basic").flatMap { Data(base64Encoded: $0) }.map {
      String(decoding: $0, as: UTF8.self)
    }
  }
}
