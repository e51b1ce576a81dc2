import NIOHTTP1
package import OCISpec
import Reporting
package import SystemPackage

extension RepositoryClient {
  /// Whether the repository has a blob. What was found once in a run is not asked for again.
  /// - Throws: ``RegistryFailure``; also where it has another one under the digest.
  package func hasBlob(_ descriptor: Descriptor) async throws -> Bool {
    let place = place(of: descriptor)
    if memory.isPresent(place) { return true }
    return try await looksForBlob(descriptor)
  }

  /// Brings a blob into the repository in the cheapest way: not at all where it is there, else out of another
  /// repository of the registry, else from the file. Who asks for a blob that is on its way waits for it.
  /// - Parameters:
  ///   - paths: repositories of the same registry that may have it.
  ///   - item: the name in progress events.
  /// - Throws: ``RegistryFailure``, ``UploadLocationError``, ``EmptyBlob``.
  package func push(
    _ descriptor: Descriptor, from file: FilePath, mountingFrom paths: [String], item: String
  ) async throws -> UploadOutcome {
    try await memory.flights.value(for: place(of: descriptor)) {
      if try await hasBlob(descriptor) {
        reporter.report(.finished(item: item, outcome: "already there"))
        return .alreadyPresent
      }
      for path in paths where path != repository.path {
        if try await mount(descriptor, from: path) {
          reporter.report(.finished(item: item, outcome: "mounted"))
          return .mounted
        }
      }
      try await send(descriptor, from: file, item: item)
      return .uploaded
    }
  }

  /// Sends a blob without asking whether it is there.
  /// - Throws: as ``push(_:from:mountingFrom:item:)``.
  package func upload(_ descriptor: Descriptor, from file: FilePath, item: String) async throws {
    _ = try await memory.flights.value(for: place(of: descriptor)) {
      try await send(descriptor, from: file, item: item)
      return .uploaded
    }
  }

  private func send(_ descriptor: Descriptor, from file: FilePath, item: String) async throws {
    guard descriptor.size > 0 else {
      throw EmptyBlob(digest: descriptor.digest, repository: repository)
    }
    let place = place(of: descriptor)
    let start = ContinuousClock.now
    var upload = BlobUpload(
      descriptor, from: file, to: self, item: item, session: memory.takeSession(for: place))
    try await upload.run()
    memory.add(place)
    let outcome = transferOutcome(
      byteCount: descriptor.size, fetched: descriptor.size, in: start.duration(to: .now))
    reporter.report(.finished(item: item, outcome: outcome))
  }
}

extension RepositoryClient {
  var memory: PushMemory { transport.sessions[repository.registry].pushes }

  func place(of descriptor: Descriptor) -> PushMemory.Place {
    PushMemory.Place(path: repository.path, digest: descriptor.digest)
  }

  func pushing(_ descriptor: Descriptor) -> String {
    "pushing blob \(descriptor.digest) to \(repository)"
  }

  /// Asks, whatever is known: registry.md, B.4.
  func looksForBlob(_ descriptor: Descriptor) async throws -> Bool {
    let request = try request(
      .HEAD, "blobs/\(descriptor.digest)", activity: pushing(descriptor),
      scopes: [.push(repository)])
    let response = try await transport.send(request)
    switch BlobPresence(response, isElsewhere: !transport.isOwn(response, of: repository)) {
    case .absent:
      memory.forget(place(of: descriptor))
      return false
    case .present(let size):
      if let size, size != descriptor.size {
        throw transport.failure(
          .sizeMismatch(expected: descriptor.size, found: size), request, at: response.url,
          advice: "the registry has something else under this digest")
      }
      if let other = response.otherDigest(than: descriptor.digest) {
        throw transport.failure(
          .digestMismatch(expected: descriptor.digest, found: other), request, at: response.url)
      }
      memory.add(place(of: descriptor))
      return true
    case .unclear: throw transport.failure(of: response, to: request)
    case .page:
      throw transport.failure(
        .protocolBroken("expected a blob, got a web page"), request, at: response.url)
    }
  }

  /// Opens an upload: distribution-spec, end-4a.
  /// - Throws: ``RegistryFailure``, ``UploadLocationError``.
  func openUpload(of descriptor: Descriptor) async throws -> UploadSession {
    let request = try uploadRequest(descriptor, [])
    let response = try await transport.send(request)
    guard response.status == 202 else {
      var failure = transport.failure(of: response, to: request)
      if response.status == 404 {
        failure.advice =
          "this registry may not create repositories by itself; create \(repository.path.quoted) there first"
      }
      throw failure
    }
    return try UploadSession(response, in: self)
  }

  func uploadRequest(
    _ descriptor: Descriptor, _ fields: [(String, String)], scopes: [TokenScope] = []
  ) throws -> RegistryRequest {
    let algorithm = descriptor.digest.algorithm
    // distribution-spec, end-4c: all but sha256 are said in time.
    let said = algorithm == .sha256 ? [] : [("digest-algorithm", algorithm.rawValue)]
    let query = (fields + said).map { "\($0.0)=\($0.1.percentEncoded)" }.joined(separator: "&")
    var request = try request(
      .POST, "blobs/uploads/" + (query.isEmpty ? "" : "?\(query)"), activity: pushing(descriptor),
      scopes: [.push(repository)] + scopes)
    request.body = .bytes([])
    return request
  }
}

/// What the answer to a blob's HEAD says: registry.md, B.4.
enum BlobPresence: Equatable {
  case absent
  case present(size: Int64?)
  /// What a portal shows to whom it does not let out.
  case page
  case unclear

  /// - Parameter isElsewhere: whether another host answers than the registry.
  init(_ response: RegistryResponse, isElsewhere: Bool) {
    switch response.status {
    case 200 where response["Content-Type"]?.lowercased().hasPrefix("text/html") == true:
      self = .page
    case 200: self = .present(size: response["Content-Length"].flatMap { Int64($0) })
    case 404: self = .absent
    // The registry has sent us to where it keeps the blob, by a URL that is signed for GET alone:
    // https://github.com/moby/moby/issues/50065.
    case 400..<500 where isElsewhere: self = .present(size: nil)
    case 400, 405, 501: self = .absent
    default: self = .unclear
    }
  }
}

extension RegistryResponse {
  /// The digest that the registry says, where it is of the same algorithm and not this one.
  func otherDigest(than digest: Digest) -> Digest? {
    guard let said = self["Docker-Content-Digest"].flatMap({ try? Digest(parsing: $0) }),
      said.algorithm == digest.algorithm, said != digest
    else { return nil }
    return said
  }
}

extension RegistryTransport {
  /// Whether the registry itself gave an answer, and not who it sent us to.
  func isOwn(_ response: RegistryResponse, of repository: Repository) -> Bool {
    let url = try? sessions[repository.registry].ownURL(response.url)
    return url != nil
  }
}
