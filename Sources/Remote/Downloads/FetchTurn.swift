import Bindings
import OCILayout
import OCISpec
import Reporting
import SystemPackage

/// Whether this process is to bring a file into a store, or somebody else has done it.
enum FetchTurn {
  case ours(PartialFile)
  case over(Digest, size: Int64)

  /// Waits until this process may fetch, or until there is nothing left to fetch. Asks again and again instead of
  /// blocking a thread: all threads could otherwise wait for one that has none.
  /// - Parameters:
  ///   - key: the partial file's name; the same for all who fetch the same bytes.
  ///   - what: what is fetched, for those who wait.
  static func take(
    _ key: String, expecting expected: Digest?, in store: BlobStore, keeping: PartialFile.Keeping,
    what: String, reporter: Reporter
  ) async throws -> FetchTurn {
    var isWaiting = false
    while true {
      let partial = try PartialFile.open(
        in: store, key: key, keeping: keeping, algorithm: expected?.algorithm ?? .sha256)
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
      if !isWaiting { reporter.report(.notice("waiting for another download of \(what)")) }
      isWaiting = true
      try await Task.sleep(for: .milliseconds(50))
    }
  }
}

extension BlobStore {
  /// The size of a blob that is here and sound; `nil` where it must be fetched. All of it is read.
  /// - Throws: ``LayoutError/corruptBlob`` where it is damaged and cannot be fetched again.
  func soundSize(of digest: Digest, isOffline: Bool) throws -> Int64? {
    guard let size = try size(of: digest) else { return nil }
    let found = try contentDigest(of: digest)
    if found == digest { return size }
    guard let found, isOffline else { return nil }
    throw LayoutError.corruptBlob(path(of: digest).string, expected: digest, found: found)
  }
}

/// What a finished transfer is shown as: `24.1 MB, 12.0 MB/s`.
func transferOutcome(byteCount: Int64, fetched: Int64, in time: Duration) -> String {
  let milliseconds = max(
    1, time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000)
  let speed = readable(byteCount: max(0, fetched) * 1000 / milliseconds)
  return "\(readable(byteCount: byteCount)), \(speed)/s"
}
