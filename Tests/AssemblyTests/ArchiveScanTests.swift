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
    var planner = Sample.planner(in: directory)
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
}
