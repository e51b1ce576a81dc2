import Bindings
import Foundation
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("BlobStore")
struct BlobStoreTests {
  private let folder: TemporaryDirectory
  private let store: BlobStore

  init() throws {
    folder = try TemporaryDirectory()
    store = BlobStore(root: folder.path)
  }

  private let hello = Array("hello".utf8)
  private let helloDigest =
    "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

  @Test("nameless files are made while others remove the folder below them")
  func anonymousFiles() async throws {
    let directory = try TemporaryDirectory()
    let store = BlobStore(root: directory.path)
    try await withThrowingTaskGroup { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<500 { try store.anonymousFile().close() }
        }
      }
      try await group.waitForAll()
    }
    #expect(
      try FileSystem.status(of: store.temporaryDirectory) == nil,
      "the folder goes with its last file")
  }

  @Test("a blob gets its name with its content, readable by everyone whatever the umask")
  func commits() throws {
    let digest = try store.put(hello)
    #expect(digest.description == helloDigest)
    #expect(try store.document(digest) == hello)
    #expect(try FileSystem.status(of: store.path(of: digest))?.mode == 0o644)
    #expect(try FileSystem.status(of: folder.path.appending("blobs/sha256"))?.mode == 0o755)
    #expect(
      try files(below: folder.path) == ["blobs/", "blobs/sha256/", "blobs/sha256/\(digest.hex)"])
  }

  @Test("storing again changes nothing; a blob cut short is replaced")
  func storesAgain() throws {
    let digest = try store.put(hello)
    let before = try FileSystem.status(of: store.path(of: digest))?.version
    try store.put(hello)
    let blob = try store.ingest()
    try hello.withUnsafeBytes { try blob.write($0) }
    _ = try blob.commit()
    #expect(try FileSystem.status(of: store.path(of: digest))?.version == before)
    try folder.write("blobs/sha256/\(digest.hex)", "hel")
    #expect(try !store.contains(Descriptor(mediaType: .layer, digest: digest, size: 5)))
    try store.put(hello)
    #expect(try store.document(digest) == hello)
  }

  @Test("a damaged blob of the right size is replaced by a good one, however that comes")
  func replacesDamaged() throws {
    let digest = try store.put(hello)
    #expect(try store.verify(digest))
    try folder.write("blobs/sha256/\(digest.hex)", "HELLO")
    #expect(try !store.verify(digest))
    let blob = try store.ingest()
    try hello.withUnsafeBytes { try blob.write($0) }
    #expect(try blob.commit().digest == digest)
    #expect(try store.document(digest) == hello)
    try folder.write("blobs/sha256/\(digest.hex)", "HELLO")
    try store.put(hello)
    #expect(try store.verify(digest))
    #expect(try files(below: folder.path).count == 3)
    #expect(try !store.verify(Digest.sha256(of: [])))
  }

  @Test("a blob that is not the one expected, or not committed, leaves nothing")
  func leavesNothing() throws {
    let other = try Digest.sha256(of: [])
    do {
      let blob = try store.ingest()
      try hello.withUnsafeBytes { try blob.write($0) }
      #expect(try files(below: folder.path).count == 2)
      #expect(
        throws: LayoutError.digestMismatch(
          expected: other, found: try Digest(parsing: helloDigest), byteCount: 5)
      ) { try blob.commit(expecting: other) }
    }
    do { _ = try store.ingest() }
    #expect(try files(below: folder.path) == [])
  }

  @Test("a document is hashed when it is read, by either algorithm, and must be small")
  func readsDocuments() throws {
    let digest = try store.put(hello)
    try folder.write("blobs/sha256/\(digest.hex)", "HELLO")
    #expect(throws: LayoutError.self) { try store.document(digest) }
    let long = try Digest.of(hello, by: .sha512)
    #expect(long.hex.hasPrefix("9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca7"))
    try folder.write("blobs/sha512/\(long.hex)", hello)
    #expect(try store.document(long) == hello)
    try folder.write("blobs/sha512/\(long.hex)", "HELLO")
    #expect(throws: LayoutError.self) { try store.document(long) }
    let absent = try Digest.sha256(of: [])
    #expect(throws: LayoutError.missingBlob(absent, layout: folder.path.string)) {
      try store.document(absent)
    }
    let large = try store.put([UInt8](repeating: 0, count: BlobStore.maximumDocumentSize + 1))
    let error = #expect(throws: FileError.self) { try store.document(large) }
    #expect(error?.kind == .data)
  }

  @Test("what a killed process left is swept, what a living one writes is not")
  func sweeps() async throws {
    let path = folder.path.string
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let blob = try BlobStore(root: FilePath(path)).ingest()
      try [UInt8](repeating: 1, count: 1000).withUnsafeBytes { try blob.write($0) }
      kill(getpid(), SIGKILL)
    }
    #expect(try files(below: store.temporaryDirectory).count == 1)
    let living = try store.ingest()
    try hello.withUnsafeBytes { try living.write($0) }
    #expect(try files(below: store.temporaryDirectory).count == 2)
    #expect(try store.sweep() == 1)
    #expect(try store.sweep() == 0)
    #expect(try living.commit().digest.description == helloDigest)
    #expect(try FileSystem.status(of: store.temporaryDirectory) == nil)
  }

  @Test("sweeping keeps off what it did not make: other names, folders, symlinks and their targets")
  func sweepsOnlyOwnNames() throws {
    for name in [
      "folder/file", "notes.txt", "notes.txt.d/x", "tmp-0", "tmp-0123456789ABC",
      "tmp-0123456789abc.e/x", "tmp-0123456789abd.d/x",
    ] { try folder.write(".ociforge/\(name)", "x") }
    let target = try folder.write("target/x", "x")
    let directory = store.temporaryDirectory
    try createSymlink(directory.appending("tmp-0000000000000"), target: target.bytes)
    let before = try files(below: folder.path)
    #expect(try store.sweep() == 0)
    #expect(try files(below: folder.path) == before)
    // A dead writer's file goes, with its folder, but not with what a symlink there leads to.
    try folder.write(".ociforge/tmp-0123456789abc", "x")
    try folder.write(".ociforge/tmp-0123456789abc.d/blobs/x", "x")
    try folder.write(".ociforge/tmp-0123456789abe", "x")
    try createSymlink(
      directory.appending("tmp-0123456789abe.d"), target: folder.path.appending("target").bytes)
    #expect(try store.sweep() == 2)
    try FileSystem.remove(directory.appending("tmp-0123456789abe.d"))
    #expect(try files(below: folder.path) == before)
  }

  @Test("a symlink or a file where temporary files go is neither swept nor written through")
  func refusesForeignTemporaryDirectories() throws {
    try folder.write("home/tmp-0123456789abc", "x")
    let home = folder.path.appending("home")
    try createSymlink(store.temporaryDirectory, target: home.bytes)
    #expect(try store.sweep() == 0)
    let error = #expect(throws: LayoutError.self) { try store.ingest() }
    #expect(error?.kind == .cannotWrite)
    #expect(error?.description.hasSuffix("found a symlink; remove or rename it") == true)
    #expect(try files(below: home) == ["tmp-0123456789abc"])
    try FileSystem.remove(store.temporaryDirectory)
    try folder.write(".ociforge", "x")
    #expect(try store.sweep() == 0)
    #expect(throws: LayoutError.self) { try store.ingest() }
  }

  @Test("another user's temporary files are not touched", .enabled(if: getuid() == 0))
  func refusesOtherUsers() throws {
    try folder.write(".ociforge/tmp-0123456789abc", "x")
    #expect(chown(store.temporaryDirectory.string, 65534, 65534) == 0)
    #expect(try store.sweep() == 0)
    let error = #expect(throws: LayoutError.self) { try store.ingest() }
    #expect(error?.description.contains("another user's") == true)
    #expect(try files(below: store.temporaryDirectory) == ["tmp-0123456789abc"])
    // Who owns the folder around it has to do with it anyway.
    #expect(chown(folder.path.string, 65534, 65534) == 0)
    #expect(try store.sweep() == 1)
  }

  @Test("writers and sweepers at once lose nothing and leave nothing")
  func sweepsWhileWriting() async throws {
    let store = store
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask {
          for number in 0..<50 { try store.put(Array("\(writer)-\(number)".utf8)) }
        }
        group.addTask { for _ in 0..<100 { try store.sweep() } }
      }
      try await group.waitForAll()
    }
    #expect(try FileSystem.entries(of: folder.path.appending("blobs/sha256")).count == 200)
    #expect(try FileSystem.status(of: store.temporaryDirectory) == nil)
  }

  @Test("a full disk is said with the file's name, and leaves nothing", .enabled(if: canMount()))
  func fullDisk() throws {
    try #require(
      run("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder.path.string]).status == 0)
    defer { _ = try? run("umount", ["-l", folder.path.string]) }
    let error = #expect(throws: FileError.self) {
      let blob = try store.ingest()
      try [UInt8](repeating: 1, count: 1 << 20).withUnsafeBytes { try blob.write($0) }
    }
    #expect(error?.kind == .cannotWrite)
    #expect(error?.errno == .noSpace)
    #expect(error?.path.hasPrefix(folder.path.string) == true)
    #expect(try files(below: folder.path) == [])
  }
}

/// Whether this process may mount a tmpfs.
func canMount() -> Bool {
  guard let folder = try? TemporaryDirectory(),
    (try? run("mount", ["-t", "tmpfs", "tmpfs", folder.path.string]).status) == 0
  else { return false }
  _ = try? run("umount", ["-l", folder.path.string])
  return true
}
