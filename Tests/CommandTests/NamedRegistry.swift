import Foundation
import Server
import SystemPackage
import TestSupport

/// A registry with the name of one that is elsewhere: over TLS, by an authority of its own, and through a tunnel,
/// as names lead here only so. `nginx` and `openssl` are the peers that it takes.
struct NamedRegistry {
  let name: String
  /// What it is asked.
  let registry: FaultyRegistry
  private let authority: String
  private let proxyPort: Int

  /// What leads the program there.
  var environment: [String: String?] {
    ["HTTPS_PROXY": "http://127.0.0.1:\(proxyPort)", "SSL_CERT_FILE": authority]
  }

  func reference(_ name: String) -> String { "\(self.name)/\(name)" }

  static func run<Result>(
    _ name: String,
    wrapping: @escaping (@escaping RequestHandler) -> RequestHandler = { $0 },
    fault: @escaping @Sendable (FaultyRegistry.Request) -> Fault? = { _ in nil },
    _ body: (NamedRegistry) async throws -> Result
  ) async throws -> Result {
    try await FaultyRegistry.serve(wrapping: wrapping, fault: fault) { registry in
      let locations = """
        client_max_body_size 0;
        location / {
          proxy_pass http://\(registry.host); proxy_request_buffering off;
          proxy_set_header Host $http_host;
        }
        """
      return try await Nginx.run(names: [name], locations: locations) { nginx in
        try await TunnelProxy.run(leading: [name: nginx.securePort]) { proxy in
          try await body(
            NamedRegistry(
              name: name, registry: registry, authority: nginx.authority.string,
              proxyPort: proxy.port))
        }
      }
    }
  }
}
