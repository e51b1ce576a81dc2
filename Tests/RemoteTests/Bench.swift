import Bindings
import Foundation
import OCILayout
import OCISpec
import Remote
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// A cache in a folder of its own, settings without waits, and what was reported.
final class Bench: Sendable {
  let directory: TemporaryDirectory
  let waits = Mutex<[Duration]>([])
  let events = Mutex<[Event]>([])

  init() throws { directory = try TemporaryDirectory() }

  var store: BlobStore { BlobStore(root: directory.path.appending("cache")) }

  var reporter: Reporter { Reporter { event in self.events.withLock { $0.append(event) } } }

  var settings: NetworkSettings {
    var settings = NetworkSettings(environment: { _ in nil }, exists: { _ in false })
    settings.idleTimeout = .seconds(5)
    settings.pause = Pause(
      sleep: { wait in self.waits.withLock { $0.append(wait) } }, jitter: { 0 }, now: { 0 })
    return settings
  }

  /// What was said to everyone.
  var notices: [String] {
    events.withLock { $0 }.compactMap { if case .notice(let text) = $0 { text } else { nil } }
  }

  @discardableResult
  func download(
    _ url: String, expecting digest: Digest?, settings: NetworkSettings? = nil
  ) async throws -> (digest: Digest, size: Int64) {
    try await withDownloader(settings ?? self.settings) { downloader in
      try await downloader.download(url, expecting: digest, into: store, reporter: reporter)
    }
  }

  /// The error a download ends in.
  func failure(
    _ url: String, expecting digest: Digest?, settings: NetworkSettings? = nil
  ) async -> (any Error)? {
    do {
      try await download(url, expecting: digest, settings: settings)
      return nil
    } catch { return error }
  }

  func content(_ digest: Digest) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: store.path(of: digest).string)))
  }

  /// The names below the cache, folders left out.
  var files: [String] {
    let all = FileManager.default.enumerator(atPath: store.root.string)?.allObjects ?? []
    return all.compactMap { $0 as? String }.filter { name in
      var isDirectory: ObjCBool = false
      let path = store.root.appending(name).string
      return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        && !isDirectory.boolValue
    }.sorted()
  }

  /// As an earlier process, killed on its way, would have left it.
  func leavePartial(_ bytes: some Sequence<UInt8>, of digest: Digest, validator: String?) throws {
    try directory.write("cache/partial/\(digest.hex)", bytes)
    if let validator {
      try directory.write("cache/partial/\(digest.hex).validator", validator)
    }
  }
}

/// Bytes that look like nothing in particular, and their digest.
func sample(_ count: Int = 300_000) throws -> (bytes: [UInt8], digest: Digest) {
  var state: UInt64 = 42
  let bytes = (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 33)
  }
  return (bytes, try Digest.sha256(of: bytes))
}
