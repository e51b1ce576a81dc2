import Bindings
import Foundation
import OCILayout
import OCISpec
import Remote
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite struct PartialFileTests {
  @Test("a symlink where a download is kept is refused, and what it leads to stays as it is")
  func symlink() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    let target = try bench.directory.write("target", "precious")
    #expect(chmod(target.string, 0o600) == 0)
    try bench.directory.write("cache/partial/x", "")
    let planted = bench.store.root.appending("partial").appending(digest.hex)
    try createSymlink(planted, target: target.bytes)
    try await ScriptedServer.run({ .file(bytes, for: $0) }) { server in
      let error = await bench.failure(server.url("/a"), expecting: digest)
      #expect((error as? FetchError) == .partialNotAFile(path: planted.string, .symlink))
      #expect((error as? FetchError)?.kind == .cannotWrite)
      #expect(server.requests.isEmpty)
    }
    #expect(try FileSystem.readAll(target, limit: 99) == Array("precious".utf8))
    #expect(try FileSystem.status(of: target)?.mode == 0o600)
    #expect(try FileSystem.status(of: planted, followSymlink: false)?.kind == .symlink)
  }

  @Test("a symlink where its validator is kept is replaced, not followed")
  func validatorSymlink() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    let target = try bench.directory.write("target", "ETag\n\"v1\"\n")
    try bench.leavePartial(bytes.prefix(1000), of: digest, validator: nil)
    let planted = bench.store.root.appending("partial").appending("\(digest.hex).validator")
    try createSymlink(planted, target: target.bytes)
    try await ScriptedServer.run({ .file(bytes, for: $0) }) { server in
      try await bench.download(server.url("/a"), expecting: digest)
      #expect(server.requests.map { $0["Range"] } == [nil])
    }
    #expect(try FileSystem.readAll(target, limit: 99) == Array("ETag\n\"v1\"\n".utf8))
  }

  @Test("a named pipe where a download is kept is refused at once")
  func pipe() async throws {
    let bench = try Bench(), (_, digest) = try sample()
    try bench.directory.write("cache/partial/x", "")
    let planted = bench.store.root.appending("partial").appending(digest.hex)
    #expect(mkfifo(planted.string, 0o600) == 0)
    let error = await bench.failure("http://127.0.0.1:1/a", expecting: digest)
    #expect((error as? FetchError) == .partialNotAFile(path: planted.string, .fifo))
  }

  @Test("who waits for another process says so, once")
  func waits() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try bench.leavePartial([], of: digest, validator: nil)
    let path = bench.store.root.appending("partial").appending(digest.hex)
    let other = try FileSystem.open(path, .readOnly, doing: "reading")
    #expect(try FileSystem.lock(other, path: path, wait: false))
    try await ScriptedServer.run({ .file(bytes, for: $0) }) { server in
      async let download = bench.download(server.url("/a"), expecting: digest)
      while bench.notices.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
      try await Task.sleep(for: .milliseconds(120))
      try other.close()
      _ = try await download
      #expect(bench.notices == ["waiting for another download of \(server.url("/a"))"])
    }
  }

  @Test("a download clears away what dead ones left: the unpinned at once, the others after a week")
  func stale() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    let now: Int64 = 1_700_000_000, day: Int64 = 24 * 3600
    func leave(_ name: String, age: Int64) throws {
      let path = try bench.directory.write("cache/partial/\(name)", "x")
      let date = Date(timeIntervalSince1970: TimeInterval(now - age))
      try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path.string)
    }
    try leave("unpinned-dead", age: 60)
    try leave("unpinned-busy", age: 60)
    try leave("aa", age: 8 * day)
    try leave("aa.validator", age: 8 * day)
    try leave("bb", age: 6 * day)
    try leave("bb.validator", age: 8 * day)
    try leave("busy", age: 8 * day)
    try leave("orphan.validator", age: 8 * day)
    let folder = bench.store.root.appending("partial")
    let locks = try ["unpinned-busy", "busy"].map { name in
      let path = folder.appending(name)
      let file = try FileSystem.open(path, .readOnly, doing: "reading")
      #expect(try FileSystem.lock(file, path: path, wait: false))
      return file
    }
    defer { for lock in locks { try? lock.close() } }
    var settings = bench.settings
    settings.pause.now = { now }
    try await ScriptedServer.run({ .file(bytes, for: $0) }) { [settings] server in
      try await bench.download(server.url("/a"), expecting: digest, settings: settings)
    }
    #expect(
      bench.files == [
        "blobs/sha256/\(digest.hex)", "partial/bb", "partial/bb.validator", "partial/busy",
        "partial/unpinned-busy",
      ])
  }
}
