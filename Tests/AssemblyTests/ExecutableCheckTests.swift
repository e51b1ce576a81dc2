import Assembly
import Definition
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("ExecutableCheck") struct ExecutableCheckTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// The smallest ELF file that says where it runs; with an interpreter where one is named.
  static func elf(machine: UInt16, interpreter: String? = nil, bits: UInt8 = 2) -> [UInt8] {
    func little(_ value: UInt64, _ size: Int) -> [UInt8] {
      (0..<size).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }
    let text: [UInt8] = interpreter.map { Array($0.utf8) + [0] } ?? []
    var out: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, bits, 1, 1] + [UInt8](repeating: 0, count: 9)
    out += little(2, 2) + little(UInt64(machine), 2) + little(1, 4)
    out += little(0, 8) + little(64, 8) + little(0, 8) + little(0, 4)
    out += little(64, 2) + little(56, 2) + little(interpreter == nil ? 0 : 1, 2)
    out += [UInt8](repeating: 0, count: 6)
    out += little(3, 4) + little(4, 4) + little(120, 8) + little(0, 8) + little(0, 8)
    out += little(UInt64(text.count), 8) + little(UInt64(text.count), 8) + little(1, 8)
    return out + text
  }

  private func check(
    _ bytes: [UInt8], mode: UInt32 = 0o755, platform: String
  ) throws -> [ExecutableCheck.Dynamic] {
    let file = try directory.write("tool", bytes)
    var planner = try Sample.planner(in: directory)
    let plan = try planner.plan(
      Sample.layer([try Sample.entry("/bin/tool", .file(file), mode: mode)]))
    return try ExecutableCheck(platform: Platform(parsing: platform)).check([plan]).dynamic
  }

  @Test(
    "an executable for the platform passes",
    arguments: [
      ("linux/amd64", 62), ("linux/arm64", 183), ("linux/arm64/v8", 183), ("linux/riscv64", 243),
    ])
  func matching(_ platform: String, machine: UInt16) throws {
    #expect(try check(Self.elf(machine: machine), platform: platform).isEmpty)
  }

  @Test("an executable for another machine is refused, with both named")
  func wrongMachine() throws {
    let failure = try #require(throws: FailureList.self) {
      try check(Self.elf(machine: 183), platform: "linux/amd64")
    }
    #expect(failure.kind == .data)
    #expect(
      failure.description
        == "image.yaml:1:1: \"/bin/tool\" is an executable for arm64, expected one for linux/amd64; take the right file, or give it mode \"0644\" where it is data"
    )
  }

  @Test("the same file as data passes")
  func data() throws {
    #expect(try check(Self.elf(machine: 183), mode: 0o644, platform: "linux/amd64").isEmpty)
  }

  @Test("a dynamic executable names its loader")
  func dynamic() throws {
    let bytes = Self.elf(machine: 62, interpreter: "/lib64/ld-linux-x86-64.so.2")
    let found = try check(bytes, platform: "linux/amd64")
    #expect(found.map(\.interpreter) == ["/lib64/ld-linux-x86-64.so.2"])
  }

  @Test(
    "files that are cut, odd or no ELF at all are taken as data",
    arguments: [
      [], Array("#!/bin/sh\n".utf8), [0x7F, 0x45, 0x4C, 0x46],
      Array(elf(machine: 183).prefix(51)),
      [0x7F, 0x45, 0x4C, 0x46] + [UInt8](repeating: 0xFF, count: 200),
    ])
  func odd(_ bytes: [UInt8]) throws {
    #expect(try check(bytes, platform: "linux/amd64").isEmpty)
  }

  @Test("a foreign executable in a tree is reported, not refused: it may be there on purpose")
  func foreignInTree() throws {
    try directory.write("tree/tool", Self.elf(machine: 183), mode: 0o755)
    var planner = try Sample.planner(in: directory)
    let tree = LayerEntry.Content.tree(directory.path.appending("tree"), include: [], exclude: [])
    let plan = try planner.plan(Sample.layer([try Sample.entry("/opt", tree)]))
    let findings = try ExecutableCheck(platform: Platform(parsing: "linux/amd64")).check([plan])
    #expect(findings.foreign.map(\.kind) == [.data])
  }

  @Test("a loader's name far behind in the file is found")
  func farInterpreter() throws {
    var bytes = Self.elf(machine: 62, interpreter: "/lib/ld.so")
    let text = Array(bytes[120...])
    bytes.replaceSubrange(72..<80, with: [0x00, 0x00, 0x10, 0, 0, 0, 0, 0])  // p_offset: 1 MiB
    bytes += [UInt8](repeating: 0, count: 0x100000 - bytes.count) + text
    #expect(try check(bytes, platform: "linux/amd64").map(\.interpreter) == ["/lib/ld.so"])
  }

  @Test("a loader behind a symlink of the image is there")
  func symlinkedLoader() throws {
    var planner = try Sample.planner(in: directory)
    _ = try planner.plan(
      Sample.layer([
        try Sample.entry("/lib64", .symlink(target: Array("usr/lib64".utf8))),
        try Sample.entry("/usr/lib64", .symlink(target: Array("../lib/./x".utf8))),
        try Sample.entry("/lib/x/ld.so", .text([])),
      ]))
    #expect(planner.resolves(try ImagePath(absolute: "/lib64/ld.so")))
    #expect(!planner.resolves(try ImagePath(absolute: "/lib64/other.so")))
  }
}
