import Foundation
import SystemPackage
import TestSupport
import Testing

/// The release executable, where `make release` left one; `make check` always does.
@Suite(.enabled(if: Built.release != nil, "no dist/ociforge-linux-\(Built.architecture)"))
struct ReleaseTests {
  private let room: Room

  init() throws { room = try Room(program: #require(Built.release)) }

  @Test("it is static: no interpreter, no shared library", .enabled(if: peers("readelf")))
  func isStatic() throws {
    let headers = try room.peer("readelf", "--wide", "--program-headers", "--dynamic", room.program)
    #expect(headers.contains("LOAD"))
    #expect(!headers.contains("INTERP"))
    #expect(!headers.contains("NEEDED"))
  }

  @Test("it gives the digest that the build under test gives")
  func sameDigest() throws {
    try room.directory.write("payload", letters(3 << 20) + noise(1 << 20))
    try room.directory.write("small", letters(1000))
    try room.peer("tar", "--owner=7:8", "-cJf", "small.tar.xz", "small")
    try room.directory.write(
      "image.yaml",
      """
      formatVersion: 1
      name: sample
      platforms: [linux/amd64, linux/arm64]
      from: scratch
      layers:
        - name: payload
          entries:
            - { path: /payload, file: payload }
        - name: small
          entries:
            - { path: /srv, archive: small.tar.xz }
            - { path: /etc/motd, text: "on ${arch}\\n", xattrs: { user.origin: made } }
      """)
    let digest = try room.assemble("-o", "layout")
    let other = try run(
      Built.ociforge, ["assemble", "-o", "other"], environment: ["OCIFORGE_CACHE": room("cache")],
      in: room.path)
    #expect(other.output == "\(digest)\n", "\(other.stderr)")
    try room.expectValid("layout")
    try room.expectValid("other")
  }

  @Test(
    "layouts/ociforge runs under podman and runc, and assembles in there",
    .enabled(if: peers("podman", "runc") && isRoot))
  func image() throws {
    try room.assemble(
      repository.appending("layouts/ociforge").string, "--set",
      "dist=\(repository.appending("dist").string)", "--platform", "linux/\(Built.architecture)",
      "-o", "layout")
    try room.directory.write(
      "work/image.yaml",
      """
      formatVersion: 1
      name: inner
      platforms: [linux/amd64]
      from: scratch
      layers:
        - name: text
          entries:
            - { path: /text, text: "made inside" }
      """)
    let outside = try room.assemble("work", "-o", "outside")
    let inside = try room.podman(
      podmanRun + ["-v", "\(room("work")):/work", "oci:layout:latest", "assemble", "-o", "inside"])
    #expect(inside == "\(outside)\n")
    for layout in ["layout", "outside", "work/inside"] { try room.expectValid(layout) }
  }
}
