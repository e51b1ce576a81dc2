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

  @Test("files go where the base's symlinks lead, its folders stay as they are, and it still runs")
  func runs() throws {
    try room.assemble("-o", "layout", "-t", "v1")
    #expect(try sh(nil) == "lib etc run tmp bin\n")
    try room.expectValid("layout:v1")

    // Podman copies the root for every run: all questions at once.
    let links = "for link in /lib /bin /var/run; do readlink $link; done"
    let folders = "stat -c '%n %a %u:%g' / /tmp /etc /usr /usr/lib /usr/bin /run /var"
    let removed = "ls -d /etc/issue.net /usr/share/common-licenses 2>/dev/null | wc -l"
    let base = try sh("\(links); \(folders); \(removed)", in: "oci:base:debian")
    #expect(base.hasSuffix("\n2\n") && base.contains("/tmp 1777 0:0\n"), "\(base)")
    let inherited = base.dropLast(2)
    let files = "stat -c '%n %a %U' /usr/lib/x /usr/bin/y /etc/z /run/w"
    let system = "apt-get --version >/dev/null && . /etc/os-release && echo $ID"
    #expect(
      try sh("\(links); \(folders); \(removed); \(files); \(system)") == """
        \(inherited)0
        /usr/lib/x 644 root
        /usr/bin/y 755 root
        /etc/z 644 root
        /run/w 644 root
        debian

        """)
  }

  /// Runs a script in the image, or its own command.
  private func sh(_ script: String?, in image: String = "oci:layout:v1") throws -> String {
    try room.podman(podmanRun + [image] + (script.map { ["/bin/sh", "-c", $0] } ?? []))
  }
}
