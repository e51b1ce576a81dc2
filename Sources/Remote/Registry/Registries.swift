package import Credentials
import NIOHTTP1
package import OCISpec
package import Reporting

/// Runs `body` with registries to talk to and closes their connections in every way out. Nothing is opened before
/// the first request.
package func withRegistries<Result>(
  _ settings: RegistrySettings, credentials: CredentialProvider, reporter: Reporter,
  _ body: (Registries) async throws -> Result
) async throws -> Result {
  try await withRegistries(settings, reporter: reporter, credentials: { _ in credentials }, body)
}

/// The same with a provider that asks services, such as AWS, over the same connections.
package func withRegistries<Result>(
  _ settings: RegistrySettings, reporter: Reporter,
  credentials: (@escaping ServiceExchange) throws -> CredentialProvider,
  _ body: (Registries) async throws -> Result
) async throws -> Result {
  try await withConnections(settings.network) { connections in
    let provider = try credentials { try await connections.exchange($0) }
    let transport = RegistryTransport(
      registries: settings, credentials: provider, connections: connections, reporter: reporter)
    let result: Result
    do { result = try await body(Registries(transport: transport)) } catch {
      await transport.closeUploads()
      throw error
    }
    await transport.closeUploads()
    return result
  }
}

/// Everything that is reached with one set of settings and credentials. Made by
/// ``withRegistries(_:credentials:reporter:_:)``.
package struct Registries: Sendable {
  let transport: RegistryTransport

  package func repository(_ repository: Repository) -> RepositoryClient {
    RepositoryClient(transport: transport, repository: repository)
  }
}

/// Reads and writes one repository.
package struct RepositoryClient: Sendable {
  let transport: RegistryTransport
  package let repository: Repository

  var reporter: Reporter { transport.reporter }

  /// A request for something in the repository.
  /// - Parameters:
  ///   - path: what follows the repository's name: `manifests/latest`. Sent as it is.
  ///   - activity: what is being done, to what, for messages.
  func request(
    _ method: HTTPMethod, _ path: String, activity: String, scopes: [TokenScope]? = nil
  ) throws -> RegistryRequest {
    RegistryRequest(
      method: method,
      url: try transport.baseURL(of: repository.registry)
        .resolving("/v2/\(repository.path)/\(path)"),
      repository: repository, activity: activity, scopes: scopes ?? [.pull(repository)])
  }
}

extension Registries {
  /// Asks the registry for nothing but whether it takes the credential that there is for it.
  /// - Throws: ``RegistryFailure`` where it does not, or is none.
  package func checkAccess(to registry: Registry) async throws {
    let request = RegistryRequest(
      method: .GET, url: try transport.baseURL(of: registry),
      repository: Repository(registry: registry, path: ""), activity: "logging in to \(registry)")
    let response = try await transport.send(request)
    guard response.status == 200 else { throw transport.failure(of: response, to: request) }
  }
}
