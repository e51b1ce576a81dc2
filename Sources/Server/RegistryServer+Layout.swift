import OCILayout
package import Reporting
package import SystemPackage
import Workers

extension RegistryServer {
  /// Serves the layout at `path`, made where it is missing, as long as `body` runs. While it is served for
  /// writing no garbage is collected, as what clients push is without a name until their last request.
  ///
  /// - Parameters:
  ///   - port: 0 for any that is free.
  ///   - wrapping: what stands between the clients and the registry.
  package static func run<Result>(
    layout path: FilePath, access: RegistryService.Access = .readWrite, port: Int = 0,
    reporter: Reporter = .silent, wrapping: (@escaping RequestHandler) -> RequestHandler = { $0 },
    _ body: (RegistryServer) async throws -> Result
  ) async throws -> Result {
    let layout = try await withBlockingWork {
      try access == .readOnly ? ImageLayout.open(path) : ImageLayout.create(path)
    }
    let service = RegistryService(layout, access: access, reporter: reporter)
    defer { service.stop() }
    let handler = wrapping { try await service.respond(to: $0) }
    if access == .readOnly { return try await run(port: port, handler: handler, body) }
    return try await layout.withWriteSession { try await run(port: port, handler: handler, body) }
  }
}
