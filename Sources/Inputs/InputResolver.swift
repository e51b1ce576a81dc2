package import Definition
package import OCILayout
import OCISpec
package import Remote
package import Reporting
import Workers

/// Turns a definition's inputs into verified files: fetches what is not in the cache, takes members out of
/// archives, checks that local files are there.
package struct InputResolver: Sendable {
  private let settings: NetworkSettings?

  /// - Parameter settings: how downloads go; this process's environment decides where there are none.
  package init(settings: NetworkSettings? = nil) { self.settings = settings }

  /// Each distinct file is fetched once, at most four at a time; each distinct member is extracted once.
  /// - Throws: ``FailureList`` with everything that is wrong, each with its place in the definition.
  package func resolve(
    _ definition: ImageDefinition, cache: BlobStore, offline: Bool, reporter: Reporter
  ) async throws -> ResolvedInputs {
    var settings = settings ?? .system(isOffline: offline)
    settings.isOffline = settings.isOffline || offline
    let uses = definition.images.sorted { $0.platform < $1.platform }.flatMap { image in
      image.inputs.values.map { InputUse(platform: image.platform, input: $0) }
    }
    let fetched = try await fetch(uses, settings, into: cache, reporter: reporter)
    let members = try await extract(uses, after: fetched, into: cache, reporter: reporter)
    var resolved = ResolvedInputs()
    var complaints = unpinned(uses, after: fetched, isOffline: settings.isOffline)
    for use in uses where use.isPinned {
      do {
        resolved[use.platform, use.input.name] = try use.file(after: fetched, members, cache: cache)
      } catch {
        complaints.append(Complaint(place: .init(use.input), error: error))
      }
    }
    let failures = complaints.sorted { $0.place < $1.place }.map(\.failure)
    guard failures.isEmpty else { throw FailureList(failures.uniqued(by: \.description)) }
    return resolved
  }

  private static let concurrencyLimit = 4

  private func fetch(
    _ uses: [InputUse], _ settings: NetworkSettings, into cache: BlobStore, reporter: Reporter
  ) async throws -> FetchedFiles {
    let wanted = uses.compactMap(\.download).uniqued(by: \.self)
    let results = try await withDownloader(settings) { downloader in
      await concurrentResults(of: wanted, limit: Self.concurrencyLimit) { download in
        try await downloader.download(
          download.url, expecting: download.digest, into: cache, reporter: reporter
        ).digest
      }
    }
    try Task.checkCancellation()
    return FetchedFiles(uniqueKeysWithValues: zip(wanted, results))
  }

  private func extract(
    _ uses: [InputUse], after fetched: FetchedFiles, into cache: BlobStore, reporter: Reporter
  ) async throws -> ExtractedFiles {
    let wanted = uses.compactMap { $0.extraction(after: fetched) }.uniqued(by: \.self)
    let results = await concurrentResults(of: wanted, limit: Self.concurrencyLimit) { wanted in
      try await wanted.run(cache: cache, reporter: reporter)
    }
    try Task.checkCancellation()
    return ExtractedFiles(uniqueKeysWithValues: zip(wanted, results))
  }

  /// A complaint for each input without a digest, with the digests that its URLs gave just now.
  private func unpinned(
    _ uses: [InputUse], after fetched: FetchedFiles, isOffline: Bool
  ) -> [Complaint] {
    var complaints: [Complaint] = []
    for (place, uses) in Dictionary(
      grouping: uses.filter { !$0.isPinned }, by: { Complaint.Place($0.input) })
    {
      let url = uses[0].download.map { RemoteURL.redact($0.url) } ?? ""
      var found: [Platform: Digest] = [:]
      for use in uses where !isOffline {
        do { found[use.platform] = try use.digest(in: fetched) } catch {
          complaints.append(Complaint(place: place, error: error))
        }
      }
      if isOffline || !found.isEmpty {
        let error = InputError.unpinned(url: url, found: isOffline ? nil : found)
        complaints.append(Complaint(place: place, error: error))
      }
    }
    return complaints
  }
}

extension InputUse {
  /// Whether there is something to check the file with, or it is local.
  fileprivate var isPinned: Bool {
    if case .url(_, nil) = input.source { false } else { true }
  }
}

extension Sequence {
  /// The first element of each key, in order.
  func uniqued<Key: Hashable>(by key: (Element) -> Key) -> [Element] {
    var seen: Set<Key> = []
    return filter { seen.insert(key($0)).inserted }
  }
}
