import Bindings
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite struct FileSystemTests {
  @Test("nameless files are made while others remove the folder below them")
  func anonymousFiles() async throws {
    let directory = try TemporaryDirectory()
    let folder = directory.path.appending("tmp")
    try await withThrowingTaskGroup { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<500 { try FileSystem.anonymousFile(in: folder).close() }
        }
      }
      try await group.waitForAll()
    }
    #expect(try FileSystem.status(of: folder) == nil, "the folder goes with its last file")
  }

  @Test("a folder where a file is: not a directory, here or above")
  func createDirectories() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("file", "")
    for path in [file, file.appending("below")] {
      let error = #expect(throws: FileError.self) { try FileSystem.createDirectories(path) }
      #expect(error?.errno == .notDirectory)
      #expect(error?.description == "creating directory \"\(file)\": Not a directory")
    }
    let folder = directory.path.appending("a").appending("b")
    try FileSystem.createDirectories(folder)
    try FileSystem.createDirectories(folder)
    #expect(try FileSystem.status(of: folder)?.kind == .directory)
  }

  @Test("what a file is, in words")
  func kinds() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("file", "")
    try FileSystem.createSymlink(directory.path.appending("link"), target: Array("file".utf8))
    #expect(try run("mkfifo", ["fifo"], in: directory.path).status == 0)
    func kind(_ path: FilePath) throws -> String {
      "\(try #require(try FileSystem.status(of: path, followSymlink: false)).kind)"
    }
    #expect(try kind(file) == "file")
    #expect(try kind(directory.path) == "directory")
    #expect(try kind(directory.path.appending("link")) == "symlink")
    #expect(try kind(directory.path.appending("fifo")) == "fifo")
    #expect(try kind("/dev/null") == "character device")
  }
}
