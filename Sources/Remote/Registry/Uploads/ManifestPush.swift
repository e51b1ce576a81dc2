import NIOHTTP1
import OCISpec
import Reporting

/// One manifest on its way into a repository: registry.md, B.7.
struct ManifestPush {
  let client: RepositoryClient
  let bytes: [UInt8]
  let descriptor: Descriptor
  let tag: String?

  private var transport: RegistryTransport { client.transport }
  private var repository: Repository { client.repository }
  private var name: ManifestName { tag.map(ManifestName.tag) ?? .digest(descriptor.digest) }

  func run() async throws {
    let links = ManifestLinks(bytes)
    let request = try request()
    if try await isThere() {
      client.reporter.detail("\(request.url): leads to \(descriptor.digest) already")
      if let subject = links?.subject, try await !client.keepsReferrers(of: subject.digest) {
        try await list(links, under: subject)
      }
      return
    }
    var response = try await put(request)
    if response?.isMissingBlobs == true {
      let absent = try await absent(links)
      // Some see a blob a while after they took it.
      if absent.isEmpty { response = try await put(request) }
      if let response, response.isMissingBlobs {
        throw MissingBlobs(
          digests: absent.isEmpty ? named(by: response, links) : absent,
          failure: transport.failure(of: response, to: request))
      }
    }
    try await check(response, request)
    if let subject = links?.subject {
      let isListed = response?["OCI-Subject"] == "\(subject.digest)"
      // Where the answer got lost, the list has to be asked.
      let isKept =
        if response == nil { try await client.keepsReferrers(of: subject.digest) } else { isListed }
      if !isKept { try await list(links, under: subject) }
    }
    if let tag { try await warnOfOthers(tag) }
  }

  private func request() throws -> RegistryRequest {
    let activity = "pushing \(repository)" + (tag.map { ":\($0)" } ?? "@\(descriptor.digest)")
    var request = try client.request(
      .PUT, "manifests/\(name)", activity: activity, scopes: [.push(repository)])
    let type = descriptor.mediaType.rawValue
    guard type.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw transport.failure(.unsupportedMediaType(type), request)
    }
    guard bytes.count <= ManifestRules.byteLimit else {
      throw transport.failure(.tooLarge(limit: ManifestRules.byteLimit), request)
    }
    // Without parameters: https://github.com/sigstore/sigstore-js/issues/1058.
    request.headers = [("Content-Type", type)]
    request.body = .bytes(bytes)
    request.patience = .commit
    return request
  }

  /// Puts it until there is an answer. Where none came the manifest may be there all the same.
  /// - Returns: `nil` where it is.
  private func put(_ request: RegistryRequest) async throws -> RegistryResponse? {
    var isThere = false
    let response = try await transport.retrying(request) {
      do {
        let response = try await transport.exchange(request)
        guard transport.isPassing(response), ![408, 425, 429].contains(response.status),
          try await self.isThere()
        else { return response }
        isThere = true
        return RegistryResponse(status: 201, headers: [:], url: request.url, body: [])
      } catch let failure as TransferFailure {
        try Task.checkCancellation()
        guard failure.fault.isRetryable, try await self.isThere() else { throw failure }
        isThere = true
        return RegistryResponse(status: 201, headers: [:], url: request.url, body: [])
      }
    }
    return isThere ? nil : response
  }

  /// - Throws: ``RegistryFailure`` where the manifest is not there as it should be.
  private func check(_ response: RegistryResponse?, _ request: RegistryRequest) async throws {
    guard let response else { return }
    let isSuccess = (200...204).contains(response.status)
    if isSuccess, let other = response.otherDigest(than: descriptor.digest) {
      throw transport.failure(
        .digestMismatch(expected: descriptor.digest, found: other), request, at: response.url,
        advice: "the registry has changed the manifest's bytes")
    }
    switch response.status {
    case 201: return
    case 200, 202, 204:
      for round in 1...Self.rounds {
        if try await isThere() { return }
        if round < Self.rounds { try await pause(round) }
      }
      throw transport.failure(
        .protocolBroken("status \(response.status), and the manifest is not there"), request,
        at: response.url)
    default:
      if tag != nil, response.isTagRefused, try await isThere() { return }
      var failure = transport.failure(of: response, to: request)
      failure.advice = failure.advice ?? advice(response)
      throw failure
    }
  }

  private func advice(_ response: RegistryResponse) -> String? {
    switch response.status {
    case _ where tag != nil && response.isTagRefused:
      "tags that are there cannot be moved in this repository; take another one"
    case 404: "create \(repository.path.quoted) there first, if the registry does not by itself"
    case 413: "the registry, or a proxy before it, takes no manifest of \(bytes.count) bytes"
    case 400, 405, 415:
      "registries may refuse a manifest that has no mediaType, or has a subject, an artifactType or annotations in its config's descriptor"
    default: nil
    }
  }

  // MARK: What is there

  /// Whether the name leads to the manifest.
  private func isThere() async throws -> Bool {
    do { return try await client.resolve(name)?.digest == descriptor.digest } catch let failure
      as RegistryFailure
    {
      guard failure.isAnswer else { throw failure }
      return false
    }
  }

  /// The children that the registry does not have, after it had some time.
  private func absent(_ links: ManifestLinks?) async throws -> [Digest] {
    guard let links else { return [] }
    var wanted = links.blobs.filter { !$0.isForeign } + links.manifests
    for blob in links.blobs { client.memory.forget(client.place(of: blob)) }
    for round in 1...Self.rounds {
      var absent: [Descriptor] = []
      for child in wanted where try await !has(child) { absent.append(child) }
      wanted = absent
      if wanted.isEmpty { break }
      if round < Self.rounds { try await pause(round) }
    }
    var seen: Set<Digest> = []
    return wanted.map(\.digest).filter { seen.insert($0).inserted }
  }

  private func has(_ child: Descriptor) async throws -> Bool {
    guard child.mediaType.isIndex || child.mediaType.isManifest else {
      return try await client.looksForBlob(child)
    }
    return try await client.resolve(.digest(child.digest)) != nil
  }

  /// Where the registry says that it has all of them, those that it names as missing, else all.
  private func named(by response: RegistryResponse, _ links: ManifestLinks?) -> [Digest] {
    let children = (links.map { $0.blobs + $0.manifests } ?? []).map(\.digest)
    let text = String(decoding: response.body, as: UTF8.self)
    let named = children.filter { text.contains($0.hex) }
    return named.isEmpty ? children : named
  }

  private func list(_ links: ManifestLinks?, under subject: Descriptor) async throws {
    let entry = Descriptor(
      mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size,
      annotations: links?.annotations ?? [:], artifactType: links?.artifactType)
    try await client.changeReferrers(of: subject.digest, .add(entry))
  }

  /// The last writer of a tag wins, and no registry says who that was.
  private func warnOfOthers(_ tag: String) async throws {
    let found: Digest?
    do { found = try await client.resolve(.tag(tag))?.digest } catch let failure as RegistryFailure
    {
      return client.reporter.detail("\(failure)")
    }
    if let found, found != descriptor.digest {
      client.reporter.warn(
        "\(repository):\(tag) leads to \(found) now, not to \(descriptor.digest): somebody else pushed it at the same time"
      )
    }
  }

  private func pause(_ round: Int) async throws {
    let settings = transport.settings
    try await settings.pause.sleep(settings.retries.firstDelay * (1 << round))
  }

  private static let rounds = 3
}

extension RegistryResponse {
  fileprivate var codes: Set<String> { Set(messages.map(\.code)) }

  fileprivate var isMissingBlobs: Bool {
    (400..<500).contains(status)
      && !codes.isDisjoint(with: ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"])
  }

  /// Whether the tag may not be moved: Amazon ECR says TAG_INVALID, Harbor 412, others 409.
  fileprivate var isTagRefused: Bool {
    guard (400..<500).contains(status) else { return false }
    let said = messages.map(\.message).joined().lowercased()
    return codes.contains("TAG_INVALID") || status == 409 || said.contains("immutable")
  }
}

extension RegistryFailure {
  /// Whether it is of one thing, and the registry may still do another.
  fileprivate var isAnswer: Bool {
    switch problem {
    case .network, .askedToWait, .offline, .plaintextCredential, .unusableCredential: false
    default: true
    }
  }
}
