import TestSupport
import Testing

@Suite("ls") struct ListCommandTests {
  private let workshop: Workshop

  init() throws {
    workshop = try Workshop()
    try workshop.assemble(Sample.two, ["-o", "two"])
  }

  @Test("the whole image, its layers merged")
  func all() throws {
    try workshop.expect(
      ["ls", "oci:two"],
      stdout: """
        drwxr-xr-x 0:0          0 2023-11-14T22:13:20Z /bin
        -rwxr-xr-x 0:0         13 2023-11-14T22:13:20Z /bin/ash
        -rwxr-xr-x 0:0         13 2023-11-14T22:13:20Z /bin/busybox
        lrwxrwxrwx 0:0          0 2023-11-14T22:13:20Z /bin/sh -> busybox
        drwxr-xr-x 0:0          0 2023-11-14T22:13:20Z /etc
        -rw-r----- 10001:10001 11 2023-11-14T22:13:20Z /etc/app.conf
        -rw-r--r-- 0:0          6 2023-11-14T22:13:20Z /etc/arch

        """)
  }

  @Test("a directory, a file, a symlink, and a path without its slash")
  func paths() throws {
    let files = """
      -rw-r----- 10001:10001 11 2023-11-14T22:13:20Z /etc/app.conf
      -rw-r--r-- 0:0          6 2023-11-14T22:13:20Z /etc/arch

      """
    try workshop.expect(["ls", "oci:two", "/etc"], stdout: files)
    try workshop.expect(["ls", "oci:two", "/etc/"], stdout: files)
    try workshop.expect(["ls", "oci:two", "etc"], stdout: files)
    try workshop.expect(
      ["ls", "oci:two", "/etc/arch"], stdout: "-rw-r--r-- 0:0 6 2023-11-14T22:13:20Z /etc/arch\n")
    try workshop.expect(
      ["ls", "oci:two", "/bin/sh"],
      stdout: "lrwxrwxrwx 0:0 0 2023-11-14T22:13:20Z /bin/sh -> busybox\n")
  }

  @Test("a path that is not there exits 66 and says how far it went")
  func missing() throws {
    try workshop.expect(
      ["ls", "oci:two", "/etc/archh"], status: 66,
      stderr:
        "error: no \"/etc/archh\" in the image: \"/etc\" is the last directory on the way; did you mean \"/etc/arch\"?\n"
    )
    try workshop.expect(
      ["ls", "oci:two", "/usr/share"], status: 66,
      stderr:
        "error: no \"/usr/share\" in the image: \"/\" is the last directory on the way; `ls` shows what there is\n"
    )
    try workshop.expect(
      ["ls", "oci:two", "/etc/arch/x"], status: 66,
      stderr:
        "error: no \"/etc/arch/x\" in the image: expected \"/etc/arch\" to be a directory, found a file\n"
    )
  }

  @Test("an image without layers lists nothing")
  func empty() throws {
    try workshop.assemble("formatVersion: 1\nname: empty\nplatforms: [linux/amd64]\n")
    try workshop.expect(["ls", "oci:build/empty"])
  }

  @Test("a bare reference exits 66 and says what was meant")
  func didYouMean() throws {
    try workshop.expect(
      ["ls", "two", "/etc"], status: 66,
      stderr: "error: \"two\" would be an image in a registry; did you mean \"oci:two\"?\n")
  }
}
