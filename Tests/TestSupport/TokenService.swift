import Foundation
package import SystemPackage

/// A token service (`testdata/registry/token-service.py`) over TLS that knows one user.
package final class TokenService: Sendable {
  /// One request that it answered.
  package struct Request: Decodable, Equatable, Sendable {
    package let method: String
    /// `basic` or `anonymous` of GET; the `grant_type` of POST.
    package let grant: String
    package let scope: [String]
    package let status: Int
  }

  package static let service = "test registry"
  package static let issuer = "test issuer"

  /// Where clients ask for tokens.
  package let realm: String
  /// What a registry must trust to believe its tokens.
  package let signingCertificate: FilePath
  private let log: FilePath
  private let server: RunningServer

  /// - Parameter lifetime: how many seconds its tokens last, by its own word.
  package init(
    in folder: FilePath, identity: PrivateAuthority.Identity, account: Account, lifetime: Int
  ) throws {
    let key = folder.appending("token.key")
    signingCertificate = folder.appending("token.pem")
    log = folder.appending("token-requests.log")
    try expectSuccess(
      run(
        "openssl",
        [
          "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tokens",
          "-keyout", key.string, "-out", signingCertificate.string,
        ]))
    let settings = Settings(
      certificate: identity.certificate.string, key: identity.key.string,
      signingCertificate: signingCertificate.string, signingKey: key.string,
      issuer: Self.issuer, service: Self.service, user: account.user, password: account.password,
      lifetime: lifetime, log: log.string)
    let file = folder.appending("token-service.json")
    try JSONEncoder().encode(settings).write(to: URL(fileURLWithPath: file.string))
    let output = folder.appending("token-service.out")
    server = try RunningServer(
      "python3",
      [repository.pushing("testdata/registry/token-service.py").string, file.string],
      output: output, errors: folder.appending("token-service.err"))
    let port = try server.wait { try text(of: output).firstMatch(of: /^([0-9]+)\n/)?.1 }
    realm = "https://localhost:\(port)/token"
  }

  package func stop() { server.stop() }

  /// What it was asked, in order.
  package var requests: [Request] {
    get throws {
      try text(of: log).split(separator: "\n").map {
        try JSONDecoder().decode(Request.self, from: Data($0.utf8))
      }
    }
  }

  private struct Settings: Encodable {
    let certificate, key, signingCertificate, signingKey: String
    let issuer, service, user, password: String
    let lifetime: Int
    let log: String
  }
}
