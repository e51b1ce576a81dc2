import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("export") struct ExportCommandTests {
  private let workshop: Workshop

  init() throws {
    workshop = try Workshop()
    try workshop.assemble(Sample.two, ["-o", "two"])
  }

  @Test("tar unpacks it to the files, modes, links and times of the image")
  func unpacked() throws {
    let tar = try workshop.run(["export", "oci:two", "--platform", "linux/arm64"])
    #expect(tar.status == 0)
    #expect(tar.stderr == "")
    let root = workshop.path.appending("root")
    try FileManager.default.createDirectory(
      atPath: root.string, withIntermediateDirectories: true)
    let unpacked = try run(
      "tar", ["-x", "--same-permissions", "--no-same-owner"], in: root, input: tar.stdout)
    try #require(unpacked.status == 0, "\(unpacked.stderr)")
    let found = try run("find", [".", "-mindepth", "1", "-printf", "%M %T@ %P %l\n"], in: root)
    #expect(
      found.output.split(separator: "\n").map(String.init).sorted() == [
        "-rw-r----- 1700000000.0000000000 etc/app.conf ",
        "-rw-r--r-- 1700000000.0000000000 etc/arch ",
        "-rwxr-xr-x 1700000000.0000000000 bin/ash ",
        "-rwxr-xr-x 1700000000.0000000000 bin/busybox ",
        "drwxr-xr-x 1700000000.0000000000 bin ",
        "drwxr-xr-x 1700000000.0000000000 etc ",
        "lrwxrwxrwx 1700000000.0000000000 bin/sh busybox",
      ])
    #expect(try workshop.read("root/etc/arch") == "arm64\n")
    #expect(try workshop.read("root/etc/app.conf") == "debug = no\n")
    let ash = try FileManager.default.attributesOfItem(atPath: root.appending("bin/ash").string)
    #expect((ash[.referenceCount] as? NSNumber)?.intValue == 2, "a hardlink stays one")
  }

  @Test(
    "an ordinary user unpacks read-only directories, too",
    .enabled(if: geteuid() != 0 || peers("setpriv")))
  func readOnlyDirectories() throws {
    try workshop.assemble(
      """
      formatVersion: 1
      name: closed
      platforms: [linux/amd64]
      layers:
        - name: files
          entries:
            - { path: /a, directory: true, mode: "0555" }
            - { path: /a/b, directory: true, mode: "0555" }
            - { path: /a/b/c, text: c }
            - { path: /a/b/d, hardlink: /a/b/c }
            - { path: /a/z, symlink: b }
      """)
    let tar = try workshop.run(["export", "oci:build/closed"])
    let root = workshop.path.appending("root")
    for path in [workshop.path, root] {
      try FileManager.default.createDirectory(
        atPath: path.string, withIntermediateDirectories: true)
      try FileManager.default.setAttributes(
        [.posixPermissions: path == root ? 0o777 : 0o755], ofItemAtPath: path.string)
    }
    let drop =
      geteuid() == 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
    let unpacked = try run("env", drop + ["tar", "-x"], in: root, input: tar.stdout)
    #expect(unpacked.status == 0)
    #expect(unpacked.stderr == "")
    let found = try run("find", [".", "-mindepth", "1", "-printf", "%M %T@ %P\\n"], in: root)
    #expect(
      found.output.split(separator: "\n").map(String.init).sorted() == [
        "-rw-r--r-- 0.0000000000 a/b/c", "-rw-r--r-- 0.0000000000 a/b/d",
        "dr-xr-xr-x 0.0000000000 a", "dr-xr-xr-x 0.0000000000 a/b", "lrwxrwxrwx 0.0000000000 a/z",
      ])
    // So that an ordinary user can remove them.
    _ = try run("chmod", ["-R", "u+w", root.string])
  }

  @Test("owners are in the tar")
  func owners() throws {
    let tar = try workshop.run(["export", "oci:two"])
    let listed = try run("tar", ["-tv", "--numeric-owner"], input: tar.stdout)
    let line = listed.output.split(separator: "\n").first { $0.hasSuffix("etc/app.conf") }
    #expect(line?.contains(" 10001/10001 ") == true)
  }

  @Test("-o writes the same bytes to a file and nothing to stdout")
  func file() throws {
    let tar = try workshop.run(["export", "oci:two"])
    try workshop.expect(["export", "oci:two", "-o", "two.tar"])
    let file = try Data(contentsOf: URL(fileURLWithPath: workshop.path.appending("two.tar").string))
    #expect(Data(tar.stdout) == file)
  }

  @Test("a reader that goes away ends it without a word")
  func closedPipe() throws {
    let finished = try run(
      "bash", ["-c", "\"$0\" export oci:two | true; echo ${PIPESTATUS[0]}", builtBinary().string],
      in: workshop.path)
    #expect(finished.stderr == "")
    #expect(["141\n", "0\n"].contains(finished.output), "SIGPIPE, or all fitted into the pipe")
  }

  @Test("a full disk exits 73 and is named")
  func fullDisk() throws {
    try workshop.expect(
      ["export", "oci:two", "-o", "/dev/full"], status: 73,
      stderr: "error: writing \"/dev/full\": No space left on device\n")
  }
}
