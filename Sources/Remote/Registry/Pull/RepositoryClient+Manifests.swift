import Bindings
import NIOHTTP1
package import OCISpec
import Reporting

extension RepositoryClient {
  /// What a tag or a digest stands for; `nil` where the repository has no such thing. Asks with HEAD, which Docker
  /// Hub does not count, and with GET where that does not tell all.
  /// - Throws: ``RegistryFailure``.
  package func resolve(_ name: ManifestName) async throws -> Descriptor? {
    let response = try await transport.send(try request(.HEAD, name))
    if response.status == 404 { return nil }
    if let descriptor = Self.descriptor(response, name) { return descriptor }
    do { return try await manifest(name).descriptor } catch let failure as RegistryFailure {
      if failure.isNotFound { return nil }
      throw failure
    }
  }

  /// The document behind a tag or a digest, checked as registry.md, B.2, has it, and its descriptor. What came is
  /// fetched once more where its digest is wrong.
  /// - Throws: ``RegistryFailure``.
  package func manifest(
    _ name: ManifestName
  ) async throws -> (bytes: [UInt8], descriptor: Descriptor) {
    try await manifest(name, size: nil, mediaType: nil)
  }

  /// The same for a document that another one points to.
  package func manifest(
    _ descriptor: Descriptor
  ) async throws -> (bytes: [UInt8], descriptor: Descriptor) {
    let request = try request(.GET, .digest(descriptor.digest))
    let limit = ManifestRules.byteLimit
    guard descriptor.size <= Int64(limit) else {
      throw transport.failure(.tooLarge(limit: limit), request)
    }
    let name = ManifestName.digest(descriptor.digest)
    let found = try await manifest(
      name, size: descriptor.size, mediaType: descriptor.mediaType)
    return (found.bytes, descriptor)
  }

  private func manifest(
    _ name: ManifestName, size: Int64?, mediaType: MediaType?
  ) async throws -> (bytes: [UInt8], descriptor: Descriptor) {
    let request = try request(.GET, name)
    var mayFetchAgain = true
    while true {
      let response = try await transport.send(request)
      guard response.status == 200 else { throw transport.failure(of: response, to: request) }
      do {
        let found = try check(response, name, size: size)
        guard let mediaType, mediaType != found.mediaType else { return (response.body, found) }
        throw RegistryFailure.Problem.protocolBroken(
          "the index calls it \(mediaType), the registry \(found.mediaType)")
      } catch let problem as RegistryFailure.Problem {
        if case .digestMismatch = problem, mayFetchAgain {
          mayFetchAgain = false
          reporter.detail("\(response.url): not what its digest says; fetching it again")
          continue
        }
        throw transport.failure(problem, request, at: response.url)
      }
    }
  }

  private func request(_ method: HTTPMethod, _ name: ManifestName) throws -> RegistryRequest {
    let reference =
      switch name {
      case .tag(let tag): "\(repository):\(tag)"
      case .digest(let digest): "\(repository)@\(digest)"
      }
    var request = try request(method, "manifests/\(name)", activity: "pulling \(reference)")
    request.headers = [("Accept", ManifestRules.accept)]
    request.responseLimit = ManifestRules.byteLimit
    return request
  }

  /// What a HEAD tells, where it tells all of it.
  private static func descriptor(_ response: RegistryResponse, _ name: ManifestName) -> Descriptor?
  {
    guard response.status == 200, let size = response["Content-Length"].flatMap({ Int64($0) }),
      (1...Int64(ManifestRules.byteLimit)).contains(size),
      let type = response["Content-Type"].flatMap(ManifestRules.specific).map(MediaType.init),
      type.isIndex || type.isManifest,
      let digest = response["Docker-Content-Digest"].flatMap({ try? Digest(parsing: $0) }),
      name.digest ?? digest == digest
    else { return nil }
    return Descriptor(mediaType: type, digest: digest, size: size)
  }

  /// - Throws: ``RegistryFailure/Problem``.
  private func check(
    _ response: RegistryResponse, _ name: ManifestName, size: Int64?
  ) throws -> Descriptor {
    let body = response.body
    if let expected = name.digest {
      let found = try Digest.of(body, by: expected.algorithm)
      guard found == expected else {
        throw RegistryFailure.Problem.digestMismatch(expected: expected, found: found)
      }
    }
    if let size, size != Int64(body.count) {
      throw RegistryFailure.Problem.sizeMismatch(expected: size, found: Int64(body.count))
    }
    if let text = response["Docker-Content-Digest"] {
      if let said = try? Digest(parsing: text) {
        let found = try Digest.of(body, by: said.algorithm)
        guard found == said else {
          throw RegistryFailure.Problem.digestMismatch(expected: said, found: found)
        }
      } else {
        reporter.warn(
          "\(response.url): ignoring the registry's Docker-Content-Digest \(text.quoted)")
      }
    }
    let type = try ManifestRules.mediaType(of: body, contentType: response["Content-Type"])
    return Descriptor(
      mediaType: type, digest: try name.digest ?? Digest.sha256(of: body), size: Int64(body.count))
  }
}

extension RegistryFailure {
  var isNotFound: Bool { if case .status(404, _) = problem { true } else { false } }
}
