import NIOHTTP1
import OCISpec
import Reporting

/// An upload that a registry has opened: where the bytes go.
struct UploadSession: Sendable {
  private(set) var location: UploadLocation
  let repository: Repository
  /// `OCI-Chunk-Min-Length`.
  let minimumChunk: Int64?

  /// - Parameter response: a 202 to a POST.
  /// - Throws: ``UploadLocationError``.
  init(_ response: RegistryResponse, in client: RepositoryClient) throws {
    location = try client.transport.uploadLocation(response)
    repository = client.repository
    minimumChunk = response["OCI-Chunk-Min-Length"].flatMap { Int64($0) }
    if case .rewritten(let url) = location {
      client.reporter.warn(
        "\(repository.registry) takes itself for plain http (Location); going on at \(url)")
    }
  }

  /// Every answer may move the session. One that names no place, or none that can be used, leaves it where it is.
  /// - Throws: ``UploadLocationError`` where the place is one that nothing is sent to.
  func following(
    _ response: RegistryResponse, by transport: RegistryTransport
  ) throws(UploadLocationError) -> UploadSession {
    var session = self
    do { session.location = try transport.uploadLocation(response) } catch {
      guard error.isNowhere else { throw error }
    }
    return session
  }
}

extension UploadLocationError {
  /// Whether no place was named.
  var isNowhere: Bool {
    switch self {
    case .missing, .unusable: true
    case .userInformation, .insecure, .notPublic: false
    }
  }
}

extension RegistryTransport {
  func uploadLocation(_ response: RegistryResponse) throws(UploadLocationError) -> UploadLocation {
    try UploadLocation(
      response["Location"], from: response.url,
      allowsPrivate: registries.allowsPrivateRedirects || isPrivate(response.url))
  }

  /// Tells the registry that nothing more comes: distribution-spec, "Canceling a push". Whatever it answers is
  /// right; it gets two seconds for it, also where this task was cancelled.
  func close(_ session: UploadSession) async {
    let request = RegistryRequest(
      method: .DELETE, url: session.location.url, repository: session.repository,
      activity: "leaving an upload to \(session.repository)", scopes: [.push(session.repository)])
    // A task of its own, as the one that gives up may be cancelled.
    await Task {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { _ = try? await exchange(request) }
        group.addTask { try? await Task.sleep(for: Self.closingTime) }
        await group.next()
        group.cancelAll()
      }
    }.value
  }

  /// Leaves what mounts have opened and nobody used.
  func closeUploads() async {
    await withTaskGroup(of: Void.self) { group in
      for session in sessions.all.flatMap({ $0.pushes.takeSessions() }) {
        group.addTask { await close(session) }
      }
    }
  }

  private static let closingTime = Duration.seconds(2)
}
