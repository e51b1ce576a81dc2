import Foundation
import SystemPackage
import TestSupport
import Testing

/// Definitions that are wrong, and files that are not what the definition takes them for: the whole of what
/// people read, through the built program.
@Suite("errors of a definition") struct ErrorTextTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let status: Int32
    let definition: String
    let errors: [String]
    var testDescription: String { name }

    /// - Parameter rest: what follows three lines that are right.
    init(_ name: String, status: Int32 = 65, _ rest: String, _ errors: String...) {
      self.name = name
      self.status = status
      definition = "formatVersion: 1\nname: x\nplatforms: [linux/amd64]\n" + rest
      self.errors = errors
    }

    /// - Parameter entries: those of the one layer, from line 7 on.
    init(_ name: String, status: Int32 = 65, entries: [String], _ errors: String...) {
      self.name = name
      self.status = status
      let lines = entries.map { "      - \($0)\n" }.joined()
      definition =
        "formatVersion: 1\nname: x\nplatforms: [linux/amd64]\nlayers:\n  - name: files\n    entries:\n"
        + lines
      self.errors = errors
    }
  }

  @Test(
    "all complaints come in one run, each with file, line and column, and nothing is written",
    arguments: [
      Case(
        "an unknown key, with the nearest one", "layer: []\n",
        "image.yaml:4:1: expected a known key, found \"layer\"; did you mean \"layers\"?"),
      Case(
        "a wrong type", "config:\n  entrypoint: /bin/tool\n",
        "image.yaml:5:15: entrypoint: expected a list, found the text \"/bin/tool\"; write [\"/bin/tool\"]"
      ),
      Case(
        "an unquoted mode", entries: ["{ path: /a, text: a, mode: 0644 }"],
        "image.yaml:7:36: mode: expected a quoted octal mode such as \"0644\", found the integer 0644; quote it: \"0644\""
      ),
      Case(
        "a path twice", entries: ["{ path: /a, text: a }", "{ path: /a, text: b }"],
        "image.yaml:8:17: path: expected each path once in a layer, found \"/a\" again; the first is at 7:17"
      ),
      Case(
        "a file under a file", entries: ["{ path: /a, text: a }", "{ path: /a/b, text: b }"],
        "image.yaml:8:17: path: expected a directory at \"/a\", found that the entry at 7:17 makes it a file"
      ),
      Case(
        "a name that layers reserve", entries: ["{ path: /etc/.wh.gone, text: a }"],
        "image.yaml:7:17: path: expected no name that starts with \".wh.\", which layers reserve for removed files, found \"/etc/.wh.gone\""
      ),
      Case(
        "a port of 70000", "config:\n  exposedPorts: [70000]\n",
        "image.yaml:5:18: exposedPorts[0]: expected a port from 1 to 65535 such as 4317, \"8125/udp\" or \"9000-9002\", found the integer 70000"
      ),
      Case(
        "no YAML", "layers: [\n",
        "image.yaml:5:1: not valid YAML: while parsing a flow node: did not find expected node content"
      ),
      Case(
        "one of everything",
        """
        epoch: soon
        layers:
          - name: files
            entries:
              - { path: a, text: a }
              - { path: /a, txet: a }
              - { path: /b, text: "${nope}" }
        config:
          user: 10001
        """,
        "image.yaml:4:8: epoch: expected seconds from 0 to 8589934591, found the text \"soon\"",
        "image.yaml:8:17: path: expected a path that starts with \"/\", got \"a\"",
        "image.yaml:9:21: entries[1]: expected a known key, found \"txet\"; did you mean \"text\"?",
        "image.yaml:10:27: text: expected a parameter in \"${…}\", found \"nope\"; there are \"os\", \"arch\", \"variant\"",
        "image.yaml:12:9: user: expected a user such as \"10001\", \"10001:10001\" or \"app\", found the integer 10001; quote it: \"10001\""
      ),
      Case(
        "files that are not there, all of them", status: 66,
        entries: ["{ path: /a, file: one }", "{ path: /b, file: two }"],
        "image.yaml:7:9: reading \"./one\": no such file",
        "image.yaml:8:9: reading \"./two\": no such file"),
    ])
  func complaints(_ wrong: Case) throws {
    let workshop = try Workshop()
    try workshop.folder.write("image.yaml", wrong.definition)
    try workshop.expect(
      ["assemble", "--progress", "none", "image.yaml"], status: wrong.status,
      stderr: wrong.errors.map { "error: \($0)\n" }.joined())
    #expect(wrong.status != 65 || !workshop.exists("build"))
  }

  @Test("executables for another machine are errors, all of them")
  func wrongMachine() throws {
    let workshop = try Workshop()
    let arm64 = Self.elf(machine: 183)
    try workshop.folder.write("tool", arm64, mode: 0o755)
    try workshop.folder.write("data", arm64)
    try workshop.folder.write(
      "image.yaml",
      """
      formatVersion: 1
      name: x
      platforms: [linux/amd64]
      layers:
        - name: files
          entries:
            - { path: /bin/one, file: tool }
            - { path: /bin/two, file: data, mode: "0755" }
            - { path: /srv/three, file: data }
      """)
    let advice =
      "is an executable for arm64, expected one for linux/amd64; take the right file, or give it mode \"0644\" where it is data"
    try workshop.expect(
      ["assemble", "--progress", "none", "image.yaml"], status: 65,
      stderr: """
        error: image.yaml:7:9: "/bin/one" \(advice)
        error: image.yaml:8:9: "/bin/two" \(advice)

        """)
  }

  @Test("a loader that the image does not contain is a warning that names it")
  func missingLoader() throws {
    let workshop = try Workshop()
    try workshop.folder.write(
      "tool", Self.elf(machine: 62, interpreter: "/lib64/ld.so"), mode: 0o755)
    try workshop.folder.write(
      "image.yaml",
      """
      formatVersion: 1
      name: x
      platforms: [linux/amd64]
      layers:
        - name: files
          entries:
            - { path: /bin/tool, file: tool }
      """)
    let finished = try workshop.run(["assemble", "-q", "image.yaml"])
    #expect(finished.status == 0)
    #expect(
      finished.stderr
        == "warning: image.yaml:7:9: \"/bin/tool\" needs the loader \"/lib64/ld.so\", which the image does not contain (linux/amd64); link it statically, or add the loader and its libraries\n"
    )
    try workshop.expectValid("oci:build/x")
  }

  @Test(
    "what an ordinary user may not read exits 74, what it may not write exits 73",
    .enabled(if: geteuid() != 0 || peers("setpriv")))
  func permissions() throws {
    let workshop = try Workshop()
    let root = workshop.path.string
    // Where this test's own folders are closed to other users, the program has to lie in an open one.
    try FileManager.default.copyItem(
      atPath: builtBinary().string, toPath: workshop.path.appending("ociforge").string)
    try workshop.assemble(Sample.one)
    try workshop.folder.write("secret.yaml", Sample.one, mode: 0)
    try workshop.folder.write("secret", "secret", mode: 0)
    try workshop.folder.write(
      "file.yaml",
      Sample.one.replacing("text: \"hello\\n\"", with: "file: secret"))
    for (folder, mode) in [("", 0o755), ("cache", 0o777), ("out", 0o777), ("closed", 0o555)] {
      let path = folder.isEmpty ? root : "\(root)/\(folder)"
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true)
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }
    try FileManager.default.setAttributes(
      [.posixPermissions: 0], ofItemAtPath: "\(root)/build/one/index.json")
    for (arguments, status, error) in [
      (["assemble", "-q", "-o", "out/a", "secret.yaml"], 74, "reading \"secret.yaml\""),
      (["assemble", "-q", "-o", "out/b", "file.yaml"], 74, "reading \"./secret\""),
      (["inspect", "oci:build/one"], 74, "reading \"build/one/index.json\""),
      (["assemble", "-q", "-o", "closed/c"], 73, "creating directory \"closed/c\""),
      (["assemble", "-q", "-o", "out/d", "--digest-file", "closed/d"], 73, "writing \"closed/d\""),
      (["init", "closed"], 73, "writing \"closed/image.yaml\""),
    ] as [([String], Int32, String)] {
      let finished = try Self.unprivileged(arguments, in: workshop.path)
      #expect(finished.status == status, "\(arguments)")
      #expect(finished.output == "")
      #expect(finished.stderr == "error: \(error): Permission denied\n")
    }
  }

  /// Runs a copy of the program in `folder` as a user without rights, where this test has some.
  private static func unprivileged(
    _ arguments: [String], in folder: FilePath
  ) throws -> Finished {
    let program = folder.appending("ociforge").string
    let drop = ["--reuid=65534", "--regid=65534", "--clear-groups", program]
    return try run(
      geteuid() == 0 ? "setpriv" : program, (geteuid() == 0 ? drop : []) + arguments,
      environment: ["OCIFORGE_CACHE": folder.appending("cache").string], in: folder)
  }

  /// The header of a 64-bit little-endian executable, with a loader where one is named.
  private static func elf(machine: UInt16, interpreter: String? = nil) -> [UInt8] {
    func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
      withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
    let name: [UInt8] = interpreter.map { Array($0.utf8) + [0] } ?? []
    let identification: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + Array(repeating: 0, count: 9)
    let header =
      identification + bytes(UInt16(2)) + bytes(machine) + bytes(UInt32(1)) + bytes(UInt64(0))
      + bytes(UInt64(64)) + bytes(UInt64(0)) + bytes(UInt32(0))
      + [UInt16(64), 56, interpreter == nil ? 0 : 1, 0, 0, 0].flatMap(bytes)
    let program =
      bytes(UInt32(3)) + bytes(UInt32(4))
      + [UInt64(120), 0, 0, UInt64(name.count), UInt64(name.count), 1].flatMap(bytes)
    return header + (interpreter == nil ? [] : program + name)
  }
}
