import Bindings
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite struct FileSystemTests {
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
    try createSymlink(directory.path.appending("link"), target: Array("file".utf8))
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
