import Bindings
import Foundation
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite struct ArchiveReaderTests {
  /// What stands in an archive that `command`, a shell line, makes as `$A`; its path says `"a"`.
  private func members(
    _ command: String, format: ArchiveReader.Format = .anyArchive, byDescriptor: Bool = false
  ) throws -> [String] {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("a")
    let done = try run(
      "bash", ["-euc", "echo one >x; echo two >y; \(command)"], environment: ["A": path.string],
      in: directory.path)
    try #require(done.status == 0, "\(done.stderr)")
    let file = try FileSystem.open(path, .readOnly, doing: "reading")
    defer { try? file.close() }
    do {
      let reader =
        byDescriptor
        ? try ArchiveReader(descriptor: file, name: path.string, format: format)
        : try ArchiveReader(path: path, format: format)
      var found: [String] = []
      while let member = try reader.next() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)
        defer { buffer.deallocate() }
        var text = String(decoding: member.header.path, as: UTF8.self)
        // Every second content is skipped, as callers do.
        if found.count.isMultiple(of: 2) {
          let count = try reader.read(into: buffer)
          text += "=" + String(decoding: buffer[..<count], as: UTF8.self)
        }
        found.append(text)
      }
      return found
    } catch {
      #expect(error.kind == .data)
      return ["\(error)".replacingOccurrences(of: path.string, with: "a")]
    }
  }

  @Test(
    "what is whole is read whole",
    arguments: [
      ("plain", "tar cf $A x y"), ("gzip", "tar czf $A x y"), ("bzip2", "tar cjf $A x y"),
      ("one zero block is an end", "tar cf t x y; head -c 2560 t >$A"),
      ("gzip in members", "tar cf t x y; (head -c 700 t | gzip; tail -c +701 t | gzip) >$A"),
      ("gzip with padding", "tar czf $A x y; head -c 3000 /dev/zero >>$A"),
      ("a tar behind the tar", "tar cf $A x y; tar cf t x; cat t >>$A"),
    ])
  func whole(_ name: String, command: String) throws {
    for byDescriptor in [false, true] {
      #expect(try members(command, byDescriptor: byDescriptor) == ["x=one\n", "y"])
    }
  }

  @Test(
    "an archive without members is read",
    arguments: ["tar cf $A -T /dev/null", "tar czf $A -T /dev/null"])
  func empty(_ command: String) throws { #expect(try members(command) == []) }

  @Test(
    "X9, X10: what is not whole is an error that says what is wrong",
    arguments: [
      (
        "a wrong checksum",
        "tar czf $A x y; printf XXXX | dd of=$A bs=1 seek=$(($(stat -c %s $A)-8)) conv=notrunc",
        "the gzip stream is damaged: incorrect data check"
      ),
      (
        "a wrong length",
        "tar czf $A x y; printf XXXX | dd of=$A bs=1 seek=$(($(stat -c %s $A)-4)) conv=notrunc",
        "the gzip stream is damaged: incorrect length check"
      ),
      ("a cut trailer", "tar cf - x y | gzip | head -c -1 >$A", "the gzip stream ends early"),
      ("a cut stream", "tar cf - x y | gzip | head -c 60 >$A", "the gzip stream ends early"),
      (
        "a cut second member of gzip",
        "tar cf t x y; (head -c 3000 t | gzip; tail -c +3001 t | gzip | head -c -4) >$A",
        "the gzip stream ends early"
      ),
      (
        "something behind gzip", "tar czf $A x y; echo more >>$A",
        "expected nothing behind the gzip stream, found other bytes"
      ),
      (
        "a wrong checksum far behind the end of the tar",
        "tar cf t x y; head -c 5000000 /dev/zero >>t; gzip <t >$A; printf XXXX | dd of=$A bs=1 seek=$(($(stat -c %s $A)-8)) conv=notrunc",
        "the gzip stream is damaged: incorrect data check"
      ),
      (
        "a tar cut between members", "tar cf t x y; head -c 1024 t >$A",
        "the archive ends without its end-of-archive blocks: it is cut off"
      ),
      (
        "a tar cut behind its last member", "tar cf t x y; head -c 2048 t | gzip >$A",
        "the archive ends without its end-of-archive blocks: it is cut off"
      ),
      (
        "a cut tar in bzip2", "tar cf t x y; head -c 1024 t | bzip2 >$A",
        "the archive ends without its end-of-archive blocks: it is cut off"
      ),
      ("no archive", "echo hello >$A", "expected a tar, zip, cpio or ar archive"),
      ("nothing", ": >$A", "expected a tar, zip, cpio or ar archive"),
      (
        "a header cut in two", "tar --format=pax -cf t x; head -c 512 t >$A",
        "expected a tar, zip, cpio or ar archive"
      ),
      ("a fifo", "mkfifo f; rm -f $A; mkdir $A", "expected a regular file, found a directory"),
    ])
  func broken(_ name: String, command: String, problem: String) throws {
    #expect(try members("{ \(command); } 2>/dev/null").last == "reading \"a\": \(problem)")
  }

  @Test("a flipped bit of stored content does not come through")
  func flippedBit() throws {
    let directory = try TemporaryDirectory()
    let done = try run(
      "python3",
      [
        "-c",
        """
        import io, tarfile, zlib, gzip
        out = io.BytesIO()
        t = tarfile.open(fileobj=out, mode="w")
        info = tarfile.TarInfo("x"); info.size = 30000
        t.addfile(info, io.BytesIO(b"a" * 30000)); t.close()
        packed = bytearray(gzip.compress(out.getvalue(), 0))
        packed[packed.index(b"aaaa") + 5000] ^= 1
        open("a", "wb").write(packed)
        """,
      ], in: directory.path)
    try #require(done.status == 0, "\(done.stderr)")
    let error = #expect(throws: LibraryError.self) {
      let reader = try ArchiveReader(path: directory.path.appending("a"))
      while try reader.next() != nil {}
    }
    #expect(error?.message == "the gzip stream is damaged: incorrect data check")
  }

  @Test("X9: a layer may end without an end, but never with a wrong checksum")
  func layers() throws {
    let cut = "tar cf t x y; head -c 2048 t >$A"
    #expect(try members(cut, format: .tar) == ["x=one\n", "y"])
    #expect(try members("tar czf $A x y; echo more >>$A", format: .tar) == ["x=one\n", "y"])
    #expect(
      try members("tar czf $A x y; truncate -s -4 $A", format: .tar)
        == ["reading \"a\": the gzip stream ends early"])
    #expect(
      try members("bsdtar --format zip -cf $A x", format: .tar)
        == ["reading \"a\": expected a tar archive"])
  }

  @Test("a fifo is refused, not waited for")
  func fifo() throws {
    let directory = try TemporaryDirectory()
    #expect(try run("mkfifo", ["f"], in: directory.path).status == 0)
    let error = #expect(throws: LibraryError.self) {
      try ArchiveReader(path: directory.path.appending("f"))
    }
    #expect("\(error, default: "")".hasSuffix("f\": expected a regular file, found a fifo") == true)
  }

  @Test("a file that is not there is not found")
  func missing() throws {
    let error = #expect(throws: LibraryError.self) { try ArchiveReader(path: "/nowhere/a") }
    #expect(error?.kind == .notFound)
    #expect("\(error, default: "")" == "reading \"/nowhere/a\": No such file or directory")
  }

  @Test("a tar comes through a pipe", arguments: ["cf", "czf"])
  func pipe(_ flags: String) throws {
    let directory = try TemporaryDirectory()
    try directory.write("x", "one")
    #expect(try run("tar", [flags, "a", "x"], in: directory.path).status == 0)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(directory.path)/a"))
    let (output, input) = try FileDescriptor.pipe()
    defer { try? output.close() }
    // At most 10,240 bytes, which a pipe holds.
    _ = try input.writeAll(bytes)
    try input.close()
    let reader = try ArchiveReader(descriptor: output, name: "pipe", format: .tar)
    #expect(try reader.next()?.header.path == Array("x".utf8))
    #expect(try reader.next() == nil)
  }

  @Test(
    "the content of a hard link is there to be read, where the archive has it there",
    arguments: [("newc", [0, 0, 4]), ("odc", [4, 4, 4])])
  func hardlinks(_ format: String, sizes: [Int64]) throws {
    let directory = try TemporaryDirectory()
    let path = directory.path.appending("a")
    let done = try run(
      "sh",
      [
        "-euc",
        "echo one >x; ln x y; ln x z; printf 'x\\ny\\nz\\n' | bsdtar --format \(format) -cf a -n -T -",
      ], in: directory.path)
    try #require(done.status == 0, "\(done.stderr)")
    let reader = try ArchiveReader(path: path)
    for size in sizes {
      let member = try #require(try reader.next())
      #expect(member.contentSize == size)
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 10, alignment: 1)
      defer { buffer.deallocate() }
      #expect(Int64(try reader.read(into: buffer)) == size)
    }
    #expect(try reader.next() == nil)
  }
}
