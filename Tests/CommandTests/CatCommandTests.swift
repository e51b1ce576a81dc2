import TestSupport
import Testing

@Suite("cat") struct CatCommandTests {
  private let workshop: Workshop

  init() throws {
    workshop = try Workshop()
    try workshop.assemble(Sample.two, ["-o", "two"])
  }

  @Test("the bytes of a file and nothing else, also through a link")
  func files() throws {
    try workshop.expect(["cat", "oci:two", "/etc/app.conf"], stdout: "debug = no\n")
    try workshop.expect(["cat", "oci:two", "etc/app.conf"], stdout: "debug = no\n")
    try workshop.expect(["cat", "oci:two", "/bin/sh"], stdout: "#!/bin/false\n")
    try workshop.expect(["cat", "oci:two", "/bin/ash"], stdout: "#!/bin/false\n")
  }

  @Test("--platform decides whose file")
  func platform() throws {
    for architecture in ["amd64", "arm64"] {
      try workshop.expect(
        ["cat", "oci:two", "/etc/arch", "--platform", "linux/\(architecture)"],
        stdout: "\(architecture)\n")
    }
  }

  @Test("bytes that are no text come out as they went in")
  func bytes() throws {
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    try workshop.folder.write("data", bytes)
    try workshop.assemble(
      Sample.one.replacing("text: \"hello\\n\"", with: "file: data"), ["-o", "bytes"])
    #expect(try workshop.run(["cat", "oci:bytes", "/etc/motd"]).stdout == bytes)
  }

  @Test("a directory exits 65")
  func directory() throws {
    try workshop.expect(
      ["cat", "oci:two", "/etc"], status: 65,
      stderr: "error: reading \"/etc\" in the image: expected a file, found a directory\n")
  }

  @Test("a path that is not there exits 66, with the nearest name")
  func missing() throws {
    try workshop.expect(
      ["cat", "oci:two", "/etc/app.conv"], status: 66,
      stderr:
        "error: no \"/etc/app.conv\" in the image: \"/etc\" is the last directory on the way; did you mean \"/etc/app.conf\"?\n"
    )
  }

  @Test("no path exits 64")
  func noPath() throws {
    let finished = try workshop.run(["cat", "oci:two"])
    #expect(finished.status == 64)
    #expect(finished.stderr.hasPrefix("error: Missing expected argument '<path>'\n"))
  }
}
