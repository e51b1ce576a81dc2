import Bindings
import Foundation
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import Inputs

/// Archives made by the programs that people make them with.
private final class Workshop: Sendable {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  var cache: BlobStore { BlobStore(root: directory.path.appending("cache")) }

  /// - Returns: the path of the archive that `command`, a shell line, makes as `$A`.
  func archive(_ command: String) throws -> FilePath {
    let path = directory.path.appending("archive")
    let done = try run(
      "sh", ["-euc", command], environment: ["A": path.string], in: directory.path)
    try #require(done.status == 0, "\(done.stderr)")
    return path
  }

  func extract(_ member: String, from archive: FilePath) throws -> (text: String, Bool) {
    var extraction = try MemberExtraction(
      member: member, archive: archive, archiveName: "\"a\"", cache: cache)
    let found = try extraction.extract(from: archive)
    let bytes = try cache.document(found.digest)
    return (String(decoding: bytes, as: UTF8.self), found.isExecutable)
  }
}

@Suite struct MemberExtractionTests {
  @Test(
    "one file comes out of every kind of archive, whatever its packing",
    arguments: [
      ("tar", "tar cf $A dir"), ("tar.gz", "tar czf $A dir"), ("tar with ./", "tar cf $A ./dir"),
      ("tar.xz", "tar cJf $A dir"), ("tar.bz2", "tar cjf $A dir"),
      ("tar.zst", "tar cf - dir | zstd -q >$A"), ("tar.lz4", "bsdtar --lz4 -cf $A dir"),
      ("tar.lzma", "bsdtar --lzma -cf $A dir"), ("tar.Z", "bsdtar -Zcf $A dir"),
      ("pax", "bsdtar --format pax -cf $A dir"), ("zip", "bsdtar --format zip -cf $A dir"),
      ("cpio", "find dir | bsdtar --format newc -cf $A -n -T -"),
    ])
  func kinds(_ name: String, command: String) throws {
    let workshop = try Workshop()
    try workshop.directory.write("dir/other", "other")
    try workshop.directory.write("dir/tool", "tool", mode: 0o755)
    let archive = try workshop.archive(command)
    #expect(try workshop.extract("dir/tool", from: archive) == ("tool", true))
    #expect(try workshop.extract("./dir/other", from: archive) == ("other", false))
  }

  @Test("a plain ar archive", .enabled(if: peers("ar")))
  func ar() throws {
    let workshop = try Workshop()
    try workshop.directory.write("one.o", "one")
    let archive = try workshop.archive("ar rc $A one.o")
    #expect(try workshop.extract("one.o", from: archive).text == "one")
  }

  @Test(
    "a Debian package means the files in it", .enabled(if: peers("dpkg-deb")),
    arguments: ["xz", "gzip", "zstd", "none"])
  func debian(_ packing: String) throws {
    let workshop = try Workshop()
    try workshop.directory.write("p/usr/bin/tool", "tool", mode: 0o755)
    try workshop.directory.write(
      "p/DEBIAN/control",
      "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: a\n")
    let archive = try workshop.archive("dpkg-deb -Z\(packing) --build p $A.deb && mv $A.deb $A")
    #expect(try workshop.extract("usr/bin/tool", from: archive) == ("tool", true))
    let left = try? FileManager.default.contentsOfDirectory(
      atPath: workshop.cache.temporaryDirectory.string)
    #expect((left ?? []) == [], "the inner archive leaves nothing behind")
    let error = #expect(throws: MemberError.self) {
      try workshop.extract("usr/bin/tol", from: archive)
    }
    #expect(error.map { "\($0)" }?.contains("did you mean \"usr/bin/tool\"") == true)
  }

  @Test("where a name stands more than once the last one counts, as with tar")
  func duplicates() throws {
    let workshop = try Workshop()
    let archive = try workshop.archive(
      "echo 1 >x; tar cf $A x; echo 2 >x; tar rf $A ./x; echo 3 >y; tar rf $A y")
    #expect(try workshop.extract("x", from: archive).text == "2\n")
    let linked = try workshop.archive("rm -f $A x; echo 1 >x; tar cf $A x; ln -sf y x; tar rf $A x")
    #expect(throws: MemberError.self) { try workshop.extract("x", from: linked) }
  }

  @Test("a member that is not there is told with likely ones and twenty that are")
  func notThere() throws {
    let workshop = try Workshop()
    let archive = try workshop.archive(
      "mkdir d; for i in $(seq 10 34); do echo >d/file$i; done; tar cf $A d")
    let error = #expect(throws: MemberError.self) { try workshop.extract("file12", from: archive) }
    let text = error.map { "\($0)" } ?? ""
    #expect(error?.kind == .data)
    #expect(text.hasPrefix("extracting \"file12\" from \"a\": there is no such member; "))
    #expect(text.contains("did you mean \"d/file12\"; it has 25 files: "))
    #expect(text.components(separatedBy: "\"d/file").count == 22)
    #expect(text.hasSuffix(", …"))
  }

  @Test(
    "each name of a file brings its content, wherever the archive has it",
    arguments: ["newc", "odc"], ["x", "y", "z"])
  func hardlinks(_ format: String, member: String) throws {
    let workshop = try Workshop()
    let archive = try workshop.archive(
      "echo one >x; chmod 755 x; ln x y; ln x z; printf 'x\\ny\\nz\\n' | bsdtar --format \(format) -cf $A -n -T -"
    )
    #expect(try workshop.extract(member, from: archive) == ("one\n", true))
  }

  @Test("what is no file is an error that names its target")
  func notFiles() throws {
    let workshop = try Workshop()
    let archive = try workshop.archive(
      "mkdir d; echo >f; ln -s f s; ln f h; mkfifo p; tar cf $A d f s h p")
    for (member, what) in [
      ("d", "a directory"), ("s", "a symlink to \"f\""), ("h", "a hard link to \"f\""),
      ("p", "a fifo"),
    ] {
      let error = #expect(throws: MemberError.self) { try workshop.extract(member, from: archive) }
      #expect(error.map { "\($0)" }?.contains("expected a file, found \(what)") == true)
    }
    #expect(throws: MemberError.self) { try workshop.extract("d/", from: archive) }
  }

  @Test(
    "an archive that is cut off or none at all is an error, even where the member came whole",
    arguments: [
      "tar czf - x big | head -c 200000 >$A", "tar cJf - x big | head -c 200000 >$A",
      "tar cf - x big | head -c 200000 >$A", "cat big >$A", ": >$A",
      "tar czf $A big; printf X | dd of=$A bs=1 seek=$(($(stat -c %s $A)-8)) conv=notrunc",
      "tar cf t big; head -c 300544 t >$A", "tar cf t big; head -c 300544 t | gzip >$A",
      "bsdtar --format zip -cf - x big | head -c 200000 >$A",
      "bsdtar --format zip -cf $A x big; printf X | dd of=$A bs=1 seek=100000 conv=notrunc",
    ])
  func broken(_ command: String) throws {
    let workshop = try Workshop()
    try workshop.directory.write("x", "x")
    let archive = try workshop.archive("head -c 300000 /dev/urandom >big; \(command)")
    let error = #expect(throws: (any Error).self) { try workshop.extract("big", from: archive) }
    #expect((error as? any Failure)?.kind == .data)
    #expect(
      try FileManager.default.subpathsOfDirectory(atPath: workshop.directory.path.string)
        .filter { $0.hasPrefix("cache/blobs/sha256/") } == [])
  }

  @Test("a bomb is stopped, also where it is beside the member")
  func bomb() throws {
    let workshop = try Workshop()
    let archive = try workshop.archive(
      "echo >x; truncate -s 200M zeros; tar cf - x zeros | zstd -q -19 --long=27 >$A; rm zeros")
    for member in ["zeros", "x"] {
      let error = #expect(throws: MemberError.self) { try workshop.extract(member, from: archive) }
      #expect(error.map { "\($0)" }?.contains("the limit for an archive of its size") == true)
    }
  }

  @Test("the limit is 1000 times the archive and 64 MiB, at most 64 GiB")
  func limits() {
    #expect(MemberExtraction.limit(compressedSize: 0) == 64 << 20)
    #expect(MemberExtraction.limit(compressedSize: 1000) == 1_000_000 + 64 << 20)
    #expect(MemberExtraction.limit(compressedSize: 1 << 40) == 64 << 30)
  }
}
