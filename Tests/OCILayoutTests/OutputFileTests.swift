import Bindings
import Foundation
import OCILayout
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("Files beside others")
struct OutputFileTests {
  private let folder: TemporaryDirectory
  private let path: FilePath

  init() throws {
    folder = try TemporaryDirectory()
    path = folder.path.appending("out")
  }

  private func write(_ text: String, failing error: (any Error)? = nil) throws {
    try OutputFile.write(path) { sink in
      try Array(text.utf8).withUnsafeBytes { try sink($0) }
      if let error { throw error }
    }
  }

  private var text: String {
    get throws { String(decoding: try FileSystem.readAll(path, limit: 1 << 20), as: UTF8.self) }
  }

  private struct Stop: Error {}

  @Test("a file has all of its new content or the old one, and nothing stays beside it")
  func replaces() throws {
    try write("old")
    #expect(throws: Stop.self) { try write("new", failing: Stop()) }
    #expect(try text == "old")
    try write("new")
    #expect(try text == "new")
    #expect(try FileSystem.status(of: path)?.mode == 0o644)
    #expect(try files(below: folder.path) == ["out"])
  }

  @Test("a file in a folder that cannot be written to is written in place")
  func writesInPlace() async throws {
    try folder.write("out", "something older and longer", mode: 0o666)
    try folder.write("read-only", "old", mode: 0o444)
    #expect(chmod(folder.path.string, 0o555) == 0)
    defer { chmod(folder.path.string, 0o755) }
    let path = path.string
    await #expect(processExitsWith: .success) { [path = path as String] in
      if getuid() == 0 { #expect(setgid(65534) == 0 && setuid(65534) == 0) }
      let path = FilePath(path), folder = path.removingLastComponent()
      try OutputFile.write(path) { sink in
        try Array("new".utf8).withUnsafeBytes { try sink($0) }
      }
      for name in ["read-only", "absent"] {
        let file = folder.appending(name)
        let error = #expect(throws: FileError.self) { try OutputFile.write(file) { _ in } }
        #expect(error == FileError("writing", file, .permissionDenied))
      }
    }
    #expect(try text == "new")
    #expect(try files(below: folder.path) == ["out", "read-only"])
  }

  @Test("a file that is mounted by itself is written in place", .enabled(if: canMount()))
  func writesMountedFiles() throws {
    let source = try folder.write("source", "something older and longer")
    try write("")
    try #require(run("mount", ["--bind", source.string, path.string]).status == 0)
    defer { _ = try? run("umount", ["-l", path.string]) }
    #expect(throws: Stop.self) { try write("new", failing: Stop()) }
    #expect(try text == "something older and longer")
    try write("new")
    #expect(try text == "new")
    #expect(String(decoding: try FileSystem.readAll(source, limit: 100), as: UTF8.self) == "new")
    #expect(try files(below: folder.path) == ["out", "source"])
  }

  @Test("nothing of the user's or of other users is in the way, or goes")
  func sharesFolders() throws {
    try folder.write(".ociforge/settings.yaml", "x")
    try folder.write(".ociforge/tmp-0123456789abc", "x")
    try folder.write(".ociforge-\(getuid() + 1)/tmp-0123456789abc", "x")
    let before = try files(below: folder.path)
    try folder.write(".ociforge-\(getuid())/tmp-0123456789abc", "x")
    try write("new")
    #expect(try files(below: folder.path) == before + ["out"])
  }

  @Test("the cache beside an output that a killed run left goes, whatever cache the next one has")
  func sweepsBeside() throws {
    let cache = folder.path.appending("cache").string
    let left = folder.path.appending(".ociforge-\(getuid())")
    for value in [cache, nil] {
      try folder.write(".ociforge-\(getuid())/tmp-0123456789abc", "x")
      try folder.write(".ociforge-\(getuid())/tmp-0123456789abc.d/blobs/x", "x")
      do {
        let found = try CacheDirectory.locate(fallbackBeside: path, reporter: .silent) {
          $0 == "OCIFORGE_CACHE" ? value : nil
        }
        #expect(found.isTemporary == (value == nil))
        if value == nil { #expect(found.path.starts(with: left)) }
        #expect(
          try FileSystem.status(of: left.appending("tmp-0123456789abc"), followSymlink: false)
            == nil)
      }
      #expect(try FileSystem.status(of: left) == nil)
    }
  }
}
