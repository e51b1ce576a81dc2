import Bindings
import NIOHTTP1
package import OCILayout
package import OCISpec
package import Reporting
import Workers

extension RepositoryClient {
  /// A small blob, such as a config, in memory: its size and digest are right. What it says is not looked at.
  /// - Throws: ``RegistryFailure``.
  package func document(_ descriptor: Descriptor) async throws -> [UInt8] {
    var request = try blobRequest(descriptor)
    request.responseLimit = ManifestRules.byteLimit
    guard descriptor.size <= Int64(request.responseLimit) else {
      throw transport.failure(.tooLarge(limit: request.responseLimit), request)
    }
    request.responseLimit = Int(descriptor.size)
    var mayFetchAgain = true
    while true {
      let response: RegistryResponse
      do { response = try await transport.send(request) } catch let failure as RegistryFailure {
        guard case .tooLarge = failure.problem else { throw failure }
        let problem = RegistryFailure.Problem.sizeMismatch(
          expected: descriptor.size, found: descriptor.size + 1)
        throw transport.failure(problem, request, at: failure.url)
      }
      guard response.status == 200 else { throw refusal(of: response, to: request, descriptor) }
      let problem: RegistryFailure.Problem
      if Int64(response.body.count) != descriptor.size {
        problem = .sizeMismatch(expected: descriptor.size, found: Int64(response.body.count))
      } else {
        let found = try Digest.of(response.body, by: descriptor.digest.algorithm)
        if found == descriptor.digest { return response.body }
        problem = .digestMismatch(expected: descriptor.digest, found: found)
      }
      guard mayFetchAgain else {
        throw transport.failure(problem, request, at: response.url, attempts: 2)
      }
      mayFetchAgain = false
    }
  }

  /// Brings a blob into the store, where it has its name only after its size and digest were found right. One that is
  /// there is hashed and not fetched again, unless it was damaged since; another process that fetches the same one is
  /// waited for; what a process that died had of it is not fetched again.
  /// - Parameter item: the name in progress events.
  /// - Throws: ``RegistryFailure``.
  package func fetchBlob(
    _ descriptor: Descriptor, into store: BlobStore, as item: String? = nil, reporter: Reporter
  ) async throws {
    let item = item ?? String(descriptor.digest.hex.prefix(12))
    try await withBlockingWork {
      let isOffline = transport.settings.isOffline
      if try store.soundSize(of: descriptor.digest, isOffline: isOffline) == descriptor.size {
        return reporter.report(.finished(item: item, outcome: "cached"))
      }
      let request = try blobRequest(descriptor)
      if isOffline { throw transport.failure(.offline, request) }
      try await fetch(request, descriptor, into: store, item: item, reporter: reporter)
    }
  }

  private func fetch(
    _ request: RegistryRequest, _ descriptor: Descriptor, into store: BlobStore, item: String,
    reporter: Reporter
  ) async throws {
    let partial: PartialFile
    switch try await FetchTurn.take(
      descriptor.digest.hex, expecting: descriptor.digest, in: store, keeping: .always,
      what: "\(descriptor.digest)", reporter: reporter)
    {
    case .ours(let file): partial = file
    case .over(_, let size):
      guard size == descriptor.size else {
        throw transport.failure(.sizeMismatch(expected: descriptor.size, found: size), request)
      }
      return reporter.report(.finished(item: item, outcome: "fetched by another process"))
    }
    let start = ContinuousClock.now, first = partial.byteCount
    let transfer = BlobTransfer(
      client: self, request: request, descriptor: descriptor, partial: partial, item: item,
      reporter: reporter)
    try await transfer.run()
    try partial.commit(descriptor.digest, to: store)
    let outcome = transferOutcome(
      byteCount: partial.byteCount, fetched: partial.byteCount - first,
      in: start.duration(to: .now))
    reporter.report(.finished(item: item, outcome: outcome))
  }

  private func blobRequest(_ descriptor: Descriptor) throws -> RegistryRequest {
    let digest = descriptor.digest
    return try request(
      .GET, "blobs/\(digest)", activity: "pulling blob \(digest) of \(repository)")
  }

  /// What an answer that is no blob means.
  func refusal(
    of response: RegistryResponse, to request: RegistryRequest, _ descriptor: Descriptor
  ) -> RegistryFailure {
    guard response.status == 404, descriptor.isForeign else {
      return transport.failure(of: response, to: request)
    }
    return transport.failure(
      .foreignLayer, request, at: response.url,
      advice: "push an image whose layers are all in the registry, or take another base")
  }
}

extension Descriptor {
  /// Whether its publisher keeps it elsewhere: image-spec, layer.md, "Non-Distributable Layers". We never ask there:
  /// CVE-2020-15157.
  var isForeign: Bool {
    unknown["urls"]?.arrayValue?.isEmpty == false
      || mediaType.rawValue.contains(".nondistributable.")
      || mediaType.rawValue.hasPrefix("application/vnd.docker.image.rootfs.foreign.")
  }
}
