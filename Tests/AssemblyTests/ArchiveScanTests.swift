import Assembly
import Bindings
import Definition
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("ArchiveScan") struct ArchiveScanTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// A tar made by Python's tarfile from `(name, type, text or target, mode)`.
  private func archive(_ members: String, filter: String = "gz") throws -> FilePath {
    let path = directory.path.appending("a.tar.\(filter)")
    let script = """
      import io, sys, tarfile
      with tarfile.open(sys.argv[1], "w:" + sys.argv[2]) as tar:
        for name, kind, text, mode in \(members):
          info = tarfile.TarInfo(name)
          info.mode, info.uid, info.gid, info.mtime = mode, 1000, 1000, 1234567890
          info.type = {"f": tarfile.REGTYPE, "d": tarfile.DIRTYPE, "l": tarfile.SYMTYPE,
                       "h": tarfile.LNKTYPE, "p": tarfile.FIFOTYPE}[kind]
          if kind in "lh": info.linkname = text
          data = text.encode() if kind == "f" else b""
          info.size = len(data)
          tar.addfile(info, io.BytesIO(data))
      """
    let made = try run("python3", ["-c", script, path.string, filter])
    try #require(made.status == 0, "\(made.stderr)")
    return path
  }

  private func plan(_ archive: FilePath, at path: String = "/opt") throws -> LayerPlan {
    var planner = try Sample.planner(in: directory)
    return try planner.plan(Sample.layer([try Sample.entry(path, .archive(.file(archive)))]))
  }

  @Test(
    "modes, owners, symlinks and hardlinks are kept, times are not", arguments: ["gz", "xz", "bz2"])
  func kept(_ filter: String) throws {
    let path = try archive(
      """
      [("./", "d", "", 0o700), ("./bin/", "d", "", 0o2755), ("./bin/su", "f", "elf", 0o4755),
       ("./bin/sh", "l", "su", 0o777), ("./bin/also", "h", "./bin/su", 0o4755)]
      """, filter: filter)
    let plan = try plan(path)
    #expect(
      plan.listing == [
        "/opt/ 700 1000:1000", "/opt/bin/ 2755 1000:1000", "/opt/bin/also 4755 1000:1000",
        "/opt/bin/sh -> su 777 1000:1000", "/opt/bin/su => opt/bin/also 4755 1000:1000",
      ])
    #expect(plan.entries.allSatisfy { $0.mtime == 0 })
  }

  @Test(
    "names that could leave the image or delete its files are refused",
    arguments: [
      (
        "[('../evil', 'f', 'x', 0o644)]",
        "expected a path without \".\" and \"..\" parts, got \"../evil\""
      ),
      ("[('a/../../evil', 'f', 'x', 0o644)]", "expected a path without \".\" and \"..\" parts"),
      ("[('/etc/evil', 'f', 'x', 0o644)]", "expected a relative path, got \"/etc/evil\""),
      ("[('a', 'h', '../../etc/passwd', 0o644)]", "expected a path without \".\" and \"..\" parts"),
      ("[('.wh.etc', 'f', '', 0o644)]", "names that begin with \".wh.\" delete files"),
      ("[('f', 'f', 'x', 0o644), ('f/x', 'f', 'y', 0o644)]", "cannot lie below \"/opt/f\""),
      ("[('s', 'l', '/etc', 0o777), ('s/x', 'f', 'y', 0o644)]", "cannot lie below \"/opt/s\""),
    ])
  func hostile(_ members: String, expected: String) throws {
    let path = try archive(members)
    let failure = try #require(throws: FailureList.self) { try plan(path) }
    #expect(failure.kind == .data)
    #expect(failure.description.contains(expected), "\(failure)")
  }

  @Test("a truncated archive is a clear error, not a shorter layer")
  func truncated() throws {
    let path = try archive(
      "[('a', 'f', 'x' * 100000, 0o644), ('b', 'f', 'y', 0o644)]", filter: "gz")
    let whole = try FileSystem.readAll(path, limit: 1 << 20)
    let cut = try directory.write("cut.tar.gz", whole.prefix(whole.count / 2))
    let failure = try #require(throws: FailureList.self) { try plan(cut) }
    #expect(failure.kind == .data && failure.description.contains("cut.tar.gz"), "\(failure)")
  }

  /// Runs a script of Python that makes `a.tar`, whose path is its argument.
  private func made(by script: String) throws -> FilePath {
    let path = directory.path.appending("a.tar")
    let made = try run("python3", ["-c", "import io, sys, tarfile\n" + script, path.string])
    try #require(made.status == 0, "\(made.stderr)")
    return path
  }

  @Test("a link is to the file that had the name then, not to one that takes it later")
  func relinked() throws {
    let path = try archive(
      "[('x', 'f', 'v1', 0o644), ('y', 'h', 'x', 0o644), ('x', 'f', 'second', 0o600)]")
    let plan = try plan(path)
    #expect(plan.listing.suffix(2) == ["/opt/x 600 1000:1000", "/opt/y 644 1000:1000"])
    #expect(plan.entries.map(\.kind).suffix(2) == [.file(size: 6), .file(size: 2)])
  }

  @Test("attributes are taken once, capabilities without the root of a user namespace, others not")
  func attributes() throws {
    let path = try made(
      by: #"""
        with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as tar:
          info = tarfile.TarInfo("a")
          value = b"\x01\0\0\x03\0\x20\0\0" + bytes(12) + b"\xa0\x86\x01\0"
          info.pax_headers = {"SCHILY.xattr.user.a": "b", "LIBARCHIVE.xattr.user.a": "Yg==",
            "SCHILY.xattr.security.selinux": "label",
            "SCHILY.xattr.security.capability": value.decode("utf8", "surrogateescape")}
          tar.addfile(info)
        """#)
    let entry = try #require(try plan(path).entries.last)
    #expect(
      entry.xattrs == [
        ExtendedAttribute(
          name: Array("security.capability".utf8),
          value: [1, 0, 0, 2, 0, 32, 0, 0] + [UInt8](repeating: 0, count: 12)),
        ExtendedAttribute(name: Array("user.a".utf8), value: [98]),
      ])
  }

  @Test(
    "numbers that a layer cannot hold are refused by the member's name",
    arguments: [
      (
        "info.uid = 2**33",
        "member \"a\": expected owner numbers up to 4294967294, got 8589934592:0"
      ),
      ("info.gid = 2**32 - 1", "expected owner numbers up to 4294967294, got 0:4294967295"),
      (
        "info.type, info.devmajor = tarfile.CHRTYPE, 300000",
        "member \"a\": expected device numbers up to 262143, got 300000:0"
      ),
    ])
  func numbers(_ change: String, expected: String) throws {
    let path = try made(
      by: """
        with tarfile.open(sys.argv[1], "w", format=tarfile.GNU_FORMAT) as tar:
          info = tarfile.TarInfo("a")
          \(change)
          tar.addfile(info)
        """)
    let failure = try #require(throws: FailureList.self) { try plan(path) }
    #expect(failure.kind == .data && failure.description.contains(expected), "\(failure)")
  }

  @Test(
    "cpio's hardlinks all have the bytes that come with the last of them",
    .enabled(if: peers("bsdtar")))
  func cpio() throws {
    try directory.write("in/a", "content")
    let path = directory.path.appending("a.cpio").string
    let made = try run(
      "sh", ["-ec", "cd in && ln a b && bsdtar -cf \(path) --format newc a b"], in: directory.path)
    try #require(made.status == 0, "\(made.stderr)")
    let plan = try plan(FilePath(path))
    #expect(
      plan.entries.map(\.kind).suffix(2) == [
        .file(size: 7), .hardlink(target: Array("opt/a".utf8)),
      ])
  }

  @Test("an archive that unpacks to a thousand times its size is refused")
  func bomb() throws {
    let made = try run(
      "sh", ["-ec", "head -c 200M /dev/zero > zero && tar cf - zero | bzip2 -9 > bomb.tar.bz2"],
      in: directory.path)
    try #require(made.status == 0, "\(made.stderr)")
    let failure = try #require(throws: FailureList.self) {
      try plan(directory.path.appending("bomb.tar.bz2"))
    }
    #expect(failure.description.contains("bytes once unpacked"), "\(failure)")
  }

  @Test("an entry of the definition says how a directory of an archive is to be")
  func declaredDirectory() throws {
    let path = try archive("[('usr/', 'd', '', 0o755), ('usr/x', 'f', 'x', 0o644)]")
    var planner = try Sample.planner(in: directory)
    let plan = try planner.plan(
      Sample.layer([
        try Sample.entry("/r", .archive(.file(path))),
        try Sample.entry("/r/usr", .directory, mode: 0o700),
      ]))
    #expect(plan.listing == ["/r/ 755 0:0", "/r/usr/ 700 0:0", "/r/usr/x 644 1000:1000"])
  }
}
