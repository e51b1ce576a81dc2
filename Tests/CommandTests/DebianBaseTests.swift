import Foundation
import SystemPackage
import TestSupport
import Testing

/// A distribution's root file system as a base: `/lib`, `/bin` and `/var/run` are symlinks there.
@Suite(
  .serialized, .enabled(if: isRoot, "debootstrap and podman need root here"),
  .enabled(if: peers("debootstrap", "umoci", "podman", "runc", "flock")))
struct DebianBaseTests {
  private let room: Room

  init() throws {
    room = try Room()
    let made = try run(
      repository.pushing("tools/make-debian-image.sh").string, [room("base")])
    try #require(made.status == 0, "\(made.stderr)")
    try room.directory.write(
      "image.yaml",
      """
      formatVersion: 1
      name: on-debian
      platforms: [linux/\(Built.architecture)]
      from: oci:./base:debian
      layers:
        - name: files
          entries:
            - { path: /lib/x, text: "lib " }
            - { path: /bin/y, text: "#!/bin/sh\\necho bin", mode: "0755" }
            - { path: /etc/z, text: "etc " }
            - { path: /var/run/w, text: "run " }
            - { path: /tmp/v, text: "tmp " }
            - { path: /etc/issue.net, remove: true }
            - { path: /usr/share/common-licenses, remove: true }
      config:
        cmd: [/bin/sh, -c, "cat /lib/x /etc/z /run/w /tmp/v && y"]
      """)
  }

  @Test("files go where the base's symlinks lead, and the image still runs")
  func runs() throws {
    try room.assemble("-o", "layout", "-t", "v1")
    #expect(try sh(nil) == "lib etc run tmp bin\n")
    #expect(
      try sh("for link in /lib /bin /var/run; do readlink $link; done")
        == sh("for link in /lib /bin /var/run; do readlink $link; done", in: "oci:base:debian"))
    #expect(
      try sh("stat -c '%n %a %U' /usr/lib/x /usr/bin/y /etc/z /run/w") == """
        /usr/lib/x 644 root
        /usr/bin/y 755 root
        /etc/z 644 root
        /run/w 644 root

        """)
    #expect(try sh("apt-get --version >/dev/null && . /etc/os-release && echo $ID") == "debian\n")
    try room.expectValid("layout:v1")
  }

  @Test("folders of the base keep their modes, and what is removed is gone")
  func modes() throws {
    try room.assemble("-o", "layout", "-t", "v1")
    let folders = "stat -c '%n %a %u:%g' / /tmp /etc /usr /usr/lib /usr/bin /run /var"
    #expect(try sh(folders) == sh(folders, in: "oci:base:debian"))
    #expect(try sh("stat -c %a /tmp") == "1777\n")
    let removed = "ls -d /etc/issue.net /usr/share/common-licenses 2>/dev/null | wc -l"
    #expect(try sh(removed, in: "oci:base:debian") == "2\n")
    #expect(try sh(removed) == "0\n")
    try room.expectValid("layout:v1")
  }

  /// Runs a script in the image, or its own command.
  private func sh(_ script: String?, in image: String = "oci:layout:v1") throws -> String {
    try room.podman(podmanRun + [image] + (script.map { ["/bin/sh", "-c", $0] } ?? []))
  }
}
