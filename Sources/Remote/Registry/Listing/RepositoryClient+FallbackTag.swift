import NIOHTTP1
import OCISpec
import Reporting

/// What a fallback tag leads to.
struct FallbackTag {
  let request: RegistryRequest
  let response: RegistryResponse

  func index() throws(ReferrersIndex.Problem) -> ReferrersIndex {
    try ReferrersIndex(response.body, contentType: response["Content-Type"])
  }
}

extension RepositoryClient {
  /// Changes the index behind a subject's fallback tag: registry.md, B.9. No registry lets one do that at once, so
  /// it is done again where another client came between. What the tag leads to is left alone, and that is said,
  /// where it is no such index.
  /// - Throws: ``RegistryFailure``.
  func changeReferrers(of subject: Digest, _ change: ReferrersIndex.Change) async throws {
    let memory = transport.sessions[repository.registry].referrers
    let key = ReferrersMemory.Subject(path: repository.path, digest: subject)
    memory.add(change, to: key)
    while memory.isWaiting(change, for: key) {
      try await memory.flights.value(for: key) {
        let changes = memory.takeChanges(for: key)
        if !changes.isEmpty { try await apply(changes, to: subject) }
      }
    }
  }

  /// - Returns: `nil` where there is no such tag.
  func fallback(of subject: Digest) async throws -> FallbackTag? {
    var request = try fallbackRequest(.GET, subject)
    request.headers = [("Accept", ManifestRules.accept)]
    request.responseLimit = ManifestRules.byteLimit
    let response = try await transport.send(request)
    if response.status == 404 { return nil }
    guard response.status == 200 else { throw transport.failure(of: response, to: request) }
    return FallbackTag(request: request, response: response)
  }

  private func apply(_ changes: [ReferrersIndex.Change], to subject: Digest) async throws {
    let settings = transport.settings
    for attempt in 1...Self.updateLimit {
      guard let (index, tag) = try await index(of: subject) else { return }
      if changes.allSatisfy(index.reflects) { return }
      if attempt > 1 {
        try await settings.pause.sleep(
          settings.retries.firstDelay * (0.5 + settings.pause.jitter()))
      }
      var request = try fallbackRequest(.PUT, subject)
      let bytes = index.applying(changes).bytes
      guard bytes.count <= ManifestRules.byteLimit else {
        return reporter.warn(
          "\(request.activity): its index would have more than \(ManifestRules.byteLimit) bytes; left as it is"
        )
      }
      request.headers = [("Content-Type", MediaType.imageIndex.rawValue)]
      if let tag { request.headers.append(("If-Match", tag)) }
      request.body = .bytes(bytes)
      let response = try await transport.send(request)
      guard [200, 201, 202, 204, 412].contains(response.status) else {
        throw transport.failure(of: response, to: request)
      }
    }
    if let (index, _) = try await index(of: subject), !changes.allSatisfy(index.reflects) {
      let request = try fallbackRequest(.PUT, subject)
      throw transport.failure(
        .protocolBroken("others change it all the time"), request, attempts: Self.updateLimit,
        advice: "run again")
    }
  }

  /// - Returns: the index and its ETag; `nil` where there is something else, which was said.
  private func index(of subject: Digest) async throws -> (ReferrersIndex, String?)? {
    let request = try fallbackRequest(.GET, subject)
    func skip(_ reason: String) {
      reporter.warn("\(request.activity): \(reason); left as it is")
    }
    do {
      guard let found = try await fallback(of: subject) else { return (ReferrersIndex(), nil) }
      do throws(ReferrersIndex.Problem) {
        return (try found.index(), found.response["ETag"])
      } catch {
        switch error {
        case .notAnIndex: skip("the tag leads to something that is no index")
        case .malformed: skip("the tag leads to an index that cannot be read")
        }
        return nil
      }
    } catch let failure as RegistryFailure {
      guard case .tooLarge(let limit) = failure.problem else { throw failure }
      skip("the tag leads to an index of more than \(limit) bytes")
      return nil
    }
  }

  private func fallbackRequest(_ method: HTTPMethod, _ subject: Digest) throws -> RegistryRequest {
    try request(
      method, "manifests/\(ReferrersTag.tag(for: subject))",
      activity: "listing what refers to \(repository)@\(subject)",
      scopes: [method == .PUT ? .push(repository) : .pull(repository)])
  }

  private static let updateLimit = 5
}
