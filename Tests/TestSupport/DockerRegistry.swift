import Foundation
import SystemPackage

/// One user of a server under test.
package struct Account: Sendable {
  package let user: String
  package let password: String

  /// Its password needs quoting in forms and has a colon of its own.
  package static let builder = Account(user: "builder", password: "p@ss:w&rd+100% =/")
}

/// Debian's docker-registry on loopback, with an empty storage of its own. `docker-registry`, `openssl`, `perl` and
/// `python3` are the peers that it takes.
package final class DockerRegistry: Sendable {
  /// Whom it lets in.
  package enum Gate: Sendable {
    case everybody
    /// Basic, against a file of passwords.
    case password
    /// Bearer, with tokens that last so many seconds by the service's word.
    case tokens(lifetime: Int)
  }

  /// `localhost:<port>`, as references have it.
  package let host: String
  package let account = Account.builder
  /// Where the tokens come from; `nil` for the other gates.
  package let tokens: TokenService?
  /// Trusted by those who come; made even where the registry speaks plain HTTP.
  package let authority: PrivateAuthority
  let directory: TemporaryDirectory
  private let server: RunningServer

  /// Starts it, runs `body`, stops it.
  package static func run<Result>(
    _ gate: Gate = .everybody, secure: Bool = true, _ body: (DockerRegistry) async throws -> Result
  ) async throws -> Result {
    let registry = try DockerRegistry(gate, secure: secure)
    defer { registry.stop() }
    return try await body(registry)
  }

  package init(_ gate: Gate = .everybody, secure: Bool = true) throws {
    directory = try TemporaryDirectory()
    let folder = directory.path
    authority = try PrivateAuthority(in: folder)
    let identity = try authority.issue("server", for: "DNS:localhost,IP:127.0.0.1")
    if case .tokens(let lifetime) = gate {
      tokens = try TokenService(
        in: folder, identity: identity, account: account, lifetime: lifetime)
    } else {
      tokens = nil
    }
    if case .password = gate { try Self.writePasswords(account, into: directory) }
    // The blob cache stays off: what files tell must be what the server says.
    try directory.write(
      "registry.yml",
      """
      version: 0.1
      log: { level: info, accesslog: { disabled: false } }
      storage:
        filesystem: { rootdirectory: \(folder)/storage }
        delete: { enabled: true }
        maintenance: { uploadpurging: { enabled: false } }
      http:
        addr: 127.0.0.1:0
        secret: only for tests
      """
        + (secure
          ? "\n  tls: { certificate: \(identity.certificate), key: \(identity.key) }\n" : "\n")
        + Self.authorization(gate, folder: folder, tokens: tokens))
    let log = folder.appending("registry.log")
    server = try RunningServer(
      "docker-registry", ["serve", "\(folder)/registry.yml"],
      output: folder.appending("access.log"), errors: log)
    // The system chooses a port; the log says which.
    let port = try server.wait {
      try text(of: log).firstMatch(of: /listening on 127\.0\.0\.1:([0-9]+)/)?.1
    }
    host = "localhost:\(port)"
  }

  package func stop() {
    server.stop()
    tokens?.stop()
  }

  private static func authorization(_ gate: Gate, folder: FilePath, tokens: TokenService?)
    -> String
  {
    if let tokens {
      return """
        auth:
          token:
            realm: \(tokens.realm)
            service: \(TokenService.service)
            issuer: \(TokenService.issuer)
            rootcertbundle: \(tokens.signingCertificate)

        """
    }
    guard case .password = gate else { return "" }
    return "auth: { htpasswd: { realm: tests, path: \(folder)/htpasswd } }\n"
  }

  // The registry reads bcrypt only. Perl's crypt is the system's, and its package cannot be missing in Debian.
  private static func writePasswords(_ account: Account, into directory: TemporaryDirectory) throws
  {
    let salt = "$2y$05$" + "abcdefghijklmnopqrstuu"
    let hashed = try TestSupport.run(
      "perl", ["-e", "print crypt($ARGV[0], $ARGV[1])", account.password, salt])
    try expectSuccess(hashed)
    try directory.write("htpasswd", "\(account.user):\(hashed.output)\n")
  }
}
