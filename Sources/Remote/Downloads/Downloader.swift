import AsyncHTTPClient
import Bindings
import NIOCore
import NIOHTTP1
package import OCILayout
package import OCISpec
package import Reporting
import SystemPackage
import Workers

/// Runs `body` with a downloader and closes its connections in every way out. Nothing is opened and no event
/// loop is started before the first download that the cache does not answer.
package func withDownloader<Result>(
  _ settings: NetworkSettings, _ body: (Downloader) async throws -> Result
) async throws -> Result {
  try await withConnections(settings) { connections in
    try await body(Downloader(settings: settings, connections: connections))
  }
}

/// Fetches files by URL into a store of blobs. Made by ``withDownloader(_:_:)``.
package struct Downloader: Sendable {
  let settings: NetworkSettings
  let connections: Connections

  /// Brings a file into the store, where it has its name only after its digest was found right. A blob that
  /// is there is hashed and not fetched again, unless it was damaged since; another process that fetches the
  /// same one is waited for.
  /// - Parameters:
  ///   - expected: what the file must hash to; `nil` takes what comes, from https only, never resumed.
  ///   - item: the name in progress events; the URL's last part where there is none.
  package func download(
    _ url: String, expecting expected: Digest?, into store: BlobStore, as item: String? = nil,
    reporter: Reporter
  ) async throws -> (digest: Digest, size: Int64) {
    let url = try RemoteURL(parsing: url)
    let item = item ?? url.fileName
    if let expected {
      guard expected.algorithm == .sha256 else { throw FetchError.unsupportedDigest(expected) }
      let size = try await withBlockingWork {
        try store.soundSize(of: expected, isOffline: settings.isOffline)
      }
      if let size {
        reporter.report(.finished(item: item, outcome: "cached"))
        return (expected, size)
      }
    } else if url.scheme == .http {
      throw FetchError.unpinnedPlainHTTP(url)
    }
    if settings.isOffline { throw FetchError.offline(url) }
    return try await withBlockingWork {
      try await fetch(url, expecting: expected, into: store, item: item, reporter: reporter)
    }
  }

  private func fetch(
    _ url: RemoteURL, expecting expected: Digest?, into store: BlobStore, item: String,
    reporter: Reporter
  ) async throws -> (digest: Digest, size: Int64) {
    let key =
      try expected?.hex ?? "unpinned-" + Digest.sha256(of: Array(url.requestText.utf8)).hex
    let partial: PartialFile
    switch try await FetchTurn.take(
      key, expecting: expected, in: store, keeping: expected == nil ? .never : .withValidator,
      what: "\(url)", reporter: reporter)
    {
    case .ours(let file): partial = file
    case .over(let digest, let size):
      reporter.report(.finished(item: item, outcome: "fetched by another process"))
      return (digest, size)
    }
    let clock = ContinuousClock()
    let start = clock.now, first = partial.byteCount
    let transfer = Transfer(
      url: url, partial: partial, settings: settings, connections: connections, item: item,
      reporter: reporter)
    let digest = try await transfer.run(expecting: expected)
    try partial.commit(digest, to: store)
    let outcome = transferOutcome(
      byteCount: partial.byteCount, fetched: partial.byteCount - first, in: clock.now - start)
    reporter.report(.finished(item: item, outcome: outcome))
    return (digest, partial.byteCount)
  }
}
