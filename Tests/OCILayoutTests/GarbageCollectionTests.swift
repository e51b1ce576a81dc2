import Bindings
import Foundation
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("Garbage collection")
struct GarbageCollectionTests {
  private let folder: TemporaryDirectory
  private let layout: ImageLayout

  init() throws {
    folder = try TemporaryDirectory()
    layout = try ImageLayout.create(folder.path)
  }

  @Test("removes what nothing leads to, and says how much that was")
  func collects() throws {
    let kept = try SmallImage.storeIndex(in: layout.store, file: "kept")
    try layout.tag(kept, as: "kept")
    let before = try files(below: folder.path)
    let gone = try SmallImage.store(in: layout.store, file: "gone")
    try layout.tag(gone, as: "gone")
    #expect(try layout.garbage() == Garbage())
    try layout.untag("gone")
    let manifest = try layout.manifest(gone).body
    let size = gone.size + manifest.config.size + manifest.layers[0].size
    let found = try layout.garbage()
    #expect(found.count == 3 && found.byteCount == size)
    #expect(try layout.collectGarbage() == found)
    #expect(try files(below: folder.path) == before)
    #expect(try layout.collectGarbage() == Garbage())
    #expect(try layout.contents(of: kept).images.count == 2)
  }

  @Test("keeps what only artifacts of other tools lead to, and what is not ours to judge")
  func keepsForeign() throws {
    let store = layout.store
    let blob = try SmallImage.put([1], MediaType(rawValue: "application/x"), in: store)
    let layerOfSubject = try SmallImage.put([2], .layer, in: store)
    let subject = try SmallImage.put(
      Manifest(config: layerOfSubject, layers: []).json, .imageManifest, in: store)
    let artifact = try SmallImage.put(
      .object(["blobs": .array([blob.json]), "subject": subject.json]),
      MediaType(rawValue: "application/vnd.oci.artifact.manifest.v1+json"), in: store)
    let opaque = try SmallImage.put([3], MediaType(rawValue: "application/y"), in: store)
    let absent = Descriptor(mediaType: .imageManifest, digest: try Digest.sha256(of: [9]), size: 1)
    try layout.update { $0.manifests = [artifact, opaque, absent] }
    try folder.write("blobs/sha256/README", "x")
    try folder.write("blobs/blake3/0a", "x")
    let before = try files(below: folder.path)
    #expect(try layout.collectGarbage() == Garbage())
    #expect(try files(below: folder.path) == before)
  }

  @Test("a document that cannot be read stops it before anything is removed")
  func stopsAtDamage() throws {
    let image = try SmallImage.store(in: layout.store)
    try layout.tag(image, as: "v1")
    try layout.store.put([1])
    try folder.write("blobs/sha256/\(image.digest.hex)", "{}")
    let before = try files(below: folder.path)
    #expect(throws: LayoutError.self) { try layout.collectGarbage() }
    #expect(try files(below: folder.path) == before)
  }

  @Test("does nothing while a writer has blobs that it has not tagged yet")
  func waitsForWriters() throws {
    try layout.withWriteSession {
      let image = try SmallImage.store(in: layout.store)
      let error = #expect(throws: LayoutError.busy(folder.path.string, writers: 1)) {
        try layout.collectGarbage()
      }
      #expect(error?.kind == .cannotWrite)
      try layout.tag(image, as: "v1")
    }
    #expect(try layout.collectGarbage() == Garbage())
    #expect(try FileSystem.status(of: layout.store.temporaryDirectory) == nil)
  }

  @Test("a file of the user's among the temporary ones is no writer")
  func ignoresForeignTemporaryFiles() throws {
    let file = try folder.write(".ociforge/settings.yaml", "x", mode: 0o400)
    #expect(try layout.collectGarbage() == Garbage())
    #expect(try FileSystem.status(of: file) != nil)
  }

  @Test("another user's writer is waited for", .enabled(if: getuid() == 0))
  func waitsForOtherUsers() throws {
    try layout.withWriteSession {
      #expect(chown(layout.store.temporaryDirectory.string, 65534, 65534) == 0)
      #expect(throws: LayoutError.busy(folder.path.string, writers: 1)) {
        try layout.collectGarbage()
      }
    }
  }

  @Test("writers and collectors at once: no tagged image loses a blob", .timeLimit(.minutes(2)))
  func concurrent() async throws {
    let layout = layout
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<3 {
        group.addTask {
          for number in 0..<30 {
            try layout.withWriteSession {
              // The same few images again and again: found, swept, written anew.
              let image = try SmallImage.store(in: layout.store, file: "\(number % 3)")
              try layout.tag(image, as: "w\(writer)")
              _ = try layout.contents(of: image)
            }
          }
        }
      }
      group.addTask {
        for _ in 0..<200 {
          do { _ = try layout.collectGarbage() } catch LayoutError.busy {}
          await Task.yield()
        }
      }
      try await group.waitForAll()
    }
    _ = try layout.collectGarbage()
    for tag in try layout.tags() {
      let manifest = try layout.manifest(tag.descriptor).body
      #expect(try layout.store.contains(manifest.config))
      #expect(try layout.store.contains(manifest.layers[0]))
    }
  }

  @Test("what a killed writer left is garbage")
  func collectsDeadWriters() async throws {
    let path = folder.path.string
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let layout = try ImageLayout.open(FilePath(path))
      try layout.withWriteSession {
        _ = try layout.store.put([1, 2, 3])
        kill(getpid(), SIGKILL)
      }
    }
    let garbage = try layout.collectGarbage()
    #expect(garbage.blobs.count == 1 && garbage.temporaryFileCount == 1 && garbage.byteCount == 3)
  }
}
