import Bindings
import OCILayout
import OCISpec
import SystemPackage
import TestSupport
import Testing

@Suite("BlobStore.adopt")
struct BlobAdoptionTests {
  private let directory: TemporaryDirectory
  private let blob: Descriptor
  private var source: BlobStore { BlobStore(root: directory.path.appending("source")) }
  private var target: BlobStore { BlobStore(root: directory.path.appending("target")) }

  init() throws {
    directory = try TemporaryDirectory()
    blob = try BlobStore(root: directory.path.appending("source")).put(
      Array("content".utf8), .layer)
  }

  private func identity(_ store: BlobStore) throws -> FileStatus.Identity? {
    try FileSystem.status(of: store.path(of: blob.digest), followSymlink: false)?.identity
  }

  @Test("a blob on the same file system is one file with two names, and nothing else is left")
  func link() throws {
    try target.adopt(blob, from: source)
    #expect(try identity(target) == identity(source))
    #expect(
      try files(below: target.root) == [
        "blobs/", "blobs/sha256/", "blobs/sha256/\(blob.digest.hex)",
      ])
  }

  @Test("what is there stays; what is there and damaged is replaced")
  func present() throws {
    _ = try target.put(Array("content".utf8))
    let before = try identity(target)
    try target.adopt(blob, from: source)
    #expect(try identity(target) == before)
    try directory.write("target/blobs/sha256/\(blob.digest.hex)", "CONTENT")
    try target.adopt(blob, from: source)
    #expect(try target.verify(blob.digest))
    #expect(try source.verify(blob.digest))
  }

  @Test("a symlink, and a file that not everyone may read, are copied")
  func copies() throws {
    let path = source.path(of: blob.digest)
    try FileSystem.setMode(path, 0o600)
    try target.adopt(blob, from: source)
    #expect(try identity(target) != identity(source))
    #expect(try FileSystem.status(of: target.path(of: blob.digest))?.mode == 0o644)

    try FileSystem.remove(target.path(of: blob.digest))
    try FileSystem.rename(path, to: directory.path.appending("elsewhere"))
    try createSymlink(path, target: Array("../../../elsewhere".utf8))
    try target.adopt(blob, from: source)
    #expect(
      try FileSystem.status(of: target.path(of: blob.digest), followSymlink: false)?.kind == .file)
    #expect(try target.verify(blob.digest))
  }

  @Test("a blob on another file system is copied")
  func otherFileSystem() throws {
    guard try FileSystem.status(of: "/dev/shm")?.kind == .directory else { return }
    let there = FilePath("/dev/shm/ociforge-test-\(UInt64.random(in: .min ... .max))")
    let store = BlobStore(root: there)
    defer { try? FileSystem.removeTree(there) }
    try store.adopt(blob, from: source)
    #expect(try store.verify(blob.digest))
    #expect(try identity(store) != identity(source))
  }

  @Test("a damaged, missing or wrongly sized blob is refused and not there afterwards")
  func damage() throws {
    var longer = blob
    longer.size += 1
    #expect(throws: LayoutError.self) { try target.adopt(longer, from: source) }
    try directory.write("source/blobs/sha256/\(blob.digest.hex)", "CONTENT")
    #expect(throws: LayoutError.self) { try target.adopt(blob, from: source) }
    try FileSystem.remove(source.path(of: blob.digest))
    #expect(throws: LayoutError.missingBlob(blob.digest, layout: source.root.string)) {
      try target.adopt(blob, from: source)
    }
    #expect(try target.size(of: blob.digest) == nil)
  }
}
