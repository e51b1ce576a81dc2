import Bindings
package import OCISpec
import Reporting
import SystemPackage

/// What nobody needs any more: blobs that nothing in `index.json` leads to, and what dead writers left.
///
/// A writer stores blobs first and tags last, so in between its blobs look like garbage. It therefore holds a
/// *session*: a temporary file, alive as long as its process, begun under the layout's lock. Collecting holds
/// that lock and does nothing while any temporary file is alive.
package struct Garbage: Sendable, Equatable {
  package var blobs: [Digest] = []
  /// Files that dead writers left behind.
  package var temporaryFileCount = 0
  package var byteCount: Int64 = 0

  package init() {}

  package var count: Int { blobs.count + temporaryFileCount }
}

extension ImageLayout {
  /// Runs `body`, which writes blobs and then tags; until it returns no garbage is collected.
  package func withWriteSession<Result>(_ body: () throws -> Result) throws -> Result {
    let session = try WriteSession(self)
    defer { session.end() }
    return try body()
  }

  /// Runs `body`, which writes blobs and then tags; until it returns no garbage is collected.
  package func withWriteSession<Result>(_ body: () async throws -> Result) async throws -> Result {
    let session = try WriteSession(self)
    defer { session.end() }
    return try await body()
  }

  /// The blobs that nothing in `index.json` leads to. Nothing is removed.
  package func garbage() throws -> Garbage {
    let reachable = try BlobGraph(layout: self).reachable(from: index().manifests)
    var garbage = Garbage()
    for algorithm in Digest.Algorithm.allCases {
      let folder = path.appending("blobs").appending(algorithm.rawValue)
      guard try FileSystem.status(of: folder) != nil else { continue }
      for name in try FileSystem.entries(of: folder) {
        // Names that are no digest are not ours to judge.
        guard let digest = try? Digest(algorithm, hex: String(decoding: name, as: UTF8.self)),
          !reachable.contains(digest), let size = try store.size(of: digest)
        else { continue }
        garbage.blobs.append(digest)
        garbage.byteCount += size
      }
    }
    return garbage
  }

  /// Removes what ``garbage()`` finds, and what dead writers left behind.
  ///
  /// - Throws: ``LayoutError/busy`` where a process is writing to the layout; nothing is removed then. A
  ///   document that cannot be read stops it too, as nobody knows what that leads to.
  package func collectGarbage() throws -> Garbage {
    try withLock { _ in
      let swept = try store.sweepCountingWriters()
      guard swept.writers == 0 else {
        throw LayoutError.busy(path.string, writers: swept.writers)
      }
      var garbage = try garbage()
      for digest in garbage.blobs { try FileSystem.remove(store.path(of: digest)) }
      garbage.temporaryFileCount = swept.removed
      garbage.byteCount += swept.byteCount
      return garbage
    }
  }
}

/// A writer's claim on a layout, from before its first blob until after its tag.
private struct WriteSession: Sendable {
  private let store: BlobStore
  private let file: FileDescriptor
  private let marker: FilePath

  init(_ layout: ImageLayout) throws {
    store = layout.store
    (file, marker) = try layout.withLock { _ in try layout.store.createTemporary() }
  }

  func end() {
    _ = try? FileSystem.remove(marker)
    try? file.close()
    store.removeTemporaryDirectoryIfEmpty()
  }
}
