import Foundation
import OCILayout
import OCISpec
import Remote
import Reporting
import SystemPackage
import TestSupport
import Testing

/// What only whole processes show: each exit test runs its body in one of its own.
@Suite struct ProcessTests {
  @Test("two processes that share a cache fetch a file once")
  func sharedByProcesses() async throws {
    let bench = try Bench(), (bytes, digest) = try sample(3_000_000)
    try await ScriptedServer.run({ .file(bytes, for: $0) }) { server in
      let url = server.url("/a"), cache = bench.store.root.string, hex = digest.hex
      async let first: Void = Self.downloadElsewhere(url, hex, cache)
      async let second: Void = Self.downloadElsewhere(url, hex, cache)
      _ = try await (first, second)
      #expect(server.requests.count == 1)
    }
    #expect(try bench.content(digest) == bytes)
    #expect(bench.files == ["blobs/sha256/\(digest.hex)"])
  }

  private static func downloadElsewhere(_ url: String, _ hex: String, _ cache: String) async throws
  {
    await #expect(processExitsWith: .success) {
      [url = url as String, hex = hex as String, cache = cache as String] in
      let settings = NetworkSettings(environment: { _ in nil }, exists: { _ in false })
      try await withDownloader(settings) { downloader in
        _ = try await downloader.download(
          url, expecting: Digest(.sha256, hex: hex), into: BlobStore(root: FilePath(cache)),
          reporter: .silent)
      }
    }
  }

  @Test("after kill -9 the next process goes on where the dead one ended")
  func killed() async throws {
    let bench = try Bench(), (bytes, digest) = try sample(3_000_000)
    try await ScriptedServer.run({ .file(bytes, for: $0) }) { server in
      let url = server.url("/a"), cache = bench.store.root.string, hex = digest.hex
      await #expect(processExitsWith: .signal(SIGKILL)) {
        [url = url as String, hex = hex as String, cache = cache as String] in
        let settings = NetworkSettings(environment: { _ in nil }, exists: { _ in false })
        try await withDownloader(settings) { downloader in
          _ = try await downloader.download(
            url, expecting: Digest(.sha256, hex: hex), into: BlobStore(root: FilePath(cache)),
            reporter: Reporter { event in
              if case .progress(_, let done, _) = event, done >= 1_000_000 {
                kill(getpid(), SIGKILL)
              }
            })
        }
      }
      #expect(bench.files == ["partial/\(digest.hex)", "partial/\(digest.hex).validator"])
      try await bench.download(url, expecting: digest)
      #expect(server.requests.count == 2)
      let range = server.requests[1]["Range"] ?? ""
      #expect((Int(range.dropFirst("bytes=".count).dropLast()) ?? 0) >= 1_000_000)
    }
    #expect(try bench.content(digest) == bytes)
    #expect(bench.files == ["blobs/sha256/\(digest.hex)"])
  }

  @Test("offline, and with all in the cache, no socket is made and no event loop started")
  func opensNothing() async throws {
    let bench = try Bench()
    let digest = try bench.store.put([1, 2, 3])
    let cache = bench.store.root.string, hex = digest.hex
    await #expect(processExitsWith: .success) {
      [hex = hex as String, cache = cache as String] in
      let before = try openSockets()
      var settings = NetworkSettings.system(isOffline: false)
      let store = BlobStore(root: FilePath(cache)), digest = try Digest(.sha256, hex: hex)
      try await withDownloader(settings) { downloader in
        _ = try await downloader.download(
          "https://example.com/a", expecting: digest, into: store, reporter: .silent)
      }
      settings.isOffline = true
      try await withDownloader(settings) { downloader in
        let other = try Digest(.sha256, hex: String(repeating: "0", count: 64))
        for expected in [other, nil] {
          let error = await #expect(throws: FetchError.self) {
            try await downloader.download(
              "https://example.com/a", expecting: expected, into: store, reporter: .silent)
          }
          #expect(error?.kind == .unavailable)
        }
      }
      let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").map {
        try String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8)
      }
      // Those of the pool that hashes what the cache has may be there.
      #expect(threads.filter { $0.contains("NIO") && !$0.contains("TP-") } == [])
      #expect(try openSockets() == before)
    }
  }
}

private func openSockets() throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
  }.filter { $0.hasPrefix("socket:") }.sorted()
}
