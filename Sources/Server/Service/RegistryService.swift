import Bindings
import NIOHTTP1
package import OCILayout
import OCISpec
import SystemPackage
package import Reporting

/// A registry over an image layout: distribution-spec 1.1 with referrers, deletion and tags in one push.
///
/// Blobs and manifests are one pool for all repositories, as a layout has it. Blobs are never deleted here:
/// `gc` does that, when nobody serves the layout.
package struct RegistryService: Sendable {
  package enum Access: Sendable { case readWrite, readOnly }

  let layout: ImageLayout
  let catalogue: ManifestCatalogue
  let uploads: UploadSessions
  private let access: Access
  private let reporter: Reporter

  /// - Parameter clock: what the age of uploads is told by.
  package init(
    _ layout: ImageLayout, access: Access = .readWrite, reporter: Reporter = .silent,
    clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) {
    self.layout = layout
    self.access = access
    self.reporter = reporter
    catalogue = ManifestCatalogue(layout)
    uploads = UploadSessions(layout.store, clock: clock)
  }

  /// Answers a request; see ``RequestHandler``. What is wrong with the layout becomes an answer and a warning.
  package func respond(to request: ServerRequest) async throws -> ServerResponse {
    var response: ServerResponse
    do { response = try await answer(request) } catch {
      if let error = error as? RegistryError {
        response = error.response
      } else if let failure = error as? any Failure {
        reporter.warn("serving \(layout.path.string.quoted): \(failure)")
        response = RegistryError.failure(failure.description).response
      } else {
        throw error
      }
    }
    response.headers.replaceOrAdd(
      name: "Docker-Distribution-API-Version", value: "registry/2.0")
    return response
  }

  /// Throws away what was not uploaded to its end.
  package func stop() { uploads.endAll() }

  private func answer(_ request: ServerRequest) async throws -> ServerResponse {
    guard let target = RequestTarget(request.target) else { throw RegistryError.malformedTarget }
    let route = try Route(path: target.path)
    guard route.methods.contains(request.method) else {
      throw RegistryError.methodNotAllowed(request.method, allowed: route.methods)
    }
    if !request.method.isReading {
      guard access == .readWrite else { throw RegistryError.readOnly }
      // Browsers say where a script comes from whenever it writes; registry clients have no such thing.
      guard request.headers["Origin"].isEmpty else { throw RegistryError.browserRefused }
    }
    switch route {
    case .support: return .json(.object([:]))
    case .catalog: return try listRepositories(target)
    case .tags(let name): return try listTags(of: name, target)
    case .referrers(_, let digest):
      return try listReferrers(of: digest, path: target.path, target)
    case .blob(_, let digest): return try blob(digest, request)
    case .uploads(let name): return try await beginUpload(in: name, target, request)
    case .upload(let name, let id):
      let session = try uploads.find(id, in: name)
      return try await upload(session, target, request)
    case .manifest(let name, let reference):
      switch request.method {
      case .PUT: return try await pushManifest(reference, in: name, target, request)
      case .DELETE: return try deleteManifest(reference, in: name)
      default: return try manifest(reference, in: name, request)
      }
    }
  }
}
