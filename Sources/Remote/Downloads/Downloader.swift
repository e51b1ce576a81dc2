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
  let connections = Connections(settings: settings)
  let result: Result
  do { result = try await body(Downloader(settings: settings, connections: connections)) } catch {
    try? await connections.close()
    throw error
  }
  try await connections.close()
  return result
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
      if let size = try await cachedSize(of: expected, in: store) {
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

  /// The size of a blob that is here and sound; `nil` where it must be fetched.
  /// - Throws: ``LayoutError/corruptBlob`` where it is damaged and cannot be fetched again.
  private func cachedSize(of digest: Digest, in store: BlobStore) async throws -> Int64? {
    guard let size = try store.size(of: digest) else { return nil }
    let found = try await withBlockingWork { try store.contentDigest(of: digest) }
    if found == digest { return size }
    guard let found, settings.isOffline else { return nil }
    throw LayoutError.corruptBlob(store.path(of: digest).string, expected: digest, found: found)
  }

  private func fetch(
    _ url: RemoteURL, expecting expected: Digest?, into store: BlobStore, item: String,
    reporter: Reporter
  ) async throws -> (digest: Digest, size: Int64) {
    let key =
      try expected?.hex ?? "unpinned-" + Digest.sha256(of: Array(url.requestText.utf8)).hex
    let partial: PartialFile
    switch try await turn(key, expecting: expected, in: store, url: url, reporter: reporter) {
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
    let outcome = Self.outcome(
      byteCount: partial.byteCount, fetched: partial.byteCount - first, in: clock.now - start)
    reporter.report(.finished(item: item, outcome: outcome))
    return (digest, partial.byteCount)
  }

  private enum Turn {
    case ours(PartialFile)
    /// Someone else has brought the file.
    case over(Digest, size: Int64)
  }

  /// Waits until this process may download, or until there is nothing left to download. Asks again and again
  /// instead of blocking a thread: all threads could otherwise wait for one that has none.
  private func turn(
    _ key: String, expecting expected: Digest?, in store: BlobStore, url: RemoteURL,
    reporter: Reporter
  ) async throws -> Turn {
    var isWaiting = false
    while true {
      let partial = try PartialFile.open(in: store, key: key, isKept: expected != nil)
      if let expected, let size = try store.size(of: expected) {
        if try store.verify(expected) {
          partial?.discard()
          return .over(expected, size: size)
        }
        // Only who holds the lock removes it: what is there later was fetched.
        if partial != nil {
          let path = store.path(of: expected)
          reporter.warn("the cached file \(path.string.quoted) is damaged; fetching it again")
          try FileSystem.remove(path)
        }
      }
      if let partial { return .ours(partial) }
      if !isWaiting { reporter.report(.notice("waiting for another download of \(url)")) }
      isWaiting = true
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  private static func outcome(byteCount: Int64, fetched: Int64, in time: Duration) -> String {
    let milliseconds = max(
      1, time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000)
    let speed = readable(byteCount: max(0, fetched) * 1000 / milliseconds)
    return "\(readable(byteCount: byteCount)), \(speed)/s"
  }
}
