import Foundation
import SystemPackage
import TestSupport
import Testing

/// Every kind of entry, read by the programs that others use.
struct InteropTests {
  private let room: Room
  private static let longName = String(repeating: "long-", count: 36)

  init() throws {
    room = try Room()
    try room.directory.write("public/index.html", "<p>hello</p>\n")
    try room.directory.write("public/run.sh", "#!/bin/sh\n", mode: 0o755)
    try room.directory.write("public/Főtanúsítvány.crt", "certificate\n")
    try room.directory.write("public/\(Self.longName)", "long\n")
    try room.directory.write("public/sub/deep", "deep\n")
    try room.shell(
      """
      ln -s ../index.html public/sub/link
      mkdir packed && cd packed
      printf tool >tool && chmod 4755 tool && ln tool same && ln -s tool link && mkdir box && chmod 1770 box
      tar --owner=1000:1000 --group=1001:1001 -cf ../packed.tar tool same link box
      """)
    try room.directory.write(
      "image.yaml",
      """
      formatVersion: 1
      name: everything
      platforms: [linux/amd64]
      from: scratch
      accounts: { users: [{ name: app, uid: 10001 }], groups: [{ name: app, gid: 10001 }] }
      layers:
        - name: files
          entries:
            - { path: /srv, tree: public, owner: "33:33" }
            - { path: /opt, archive: packed.tar }
            - { path: /tmp, directory: true, mode: "1777" }
            - { path: /usr/bin/su, text: "s", mode: "4755" }
            - { path: /usr/bin/wall, text: "w", mode: "2755", owner: "0:5" }
            - { path: /usr/bin/alias, hardlink: /usr/bin/su }
            - { path: /bin, symlink: usr/bin }
            - path: /etc/origin
              text: "o"
              mtime: 2025-07-15T12:30:00Z
              xattrs: { user.origin: ociforge, user.bytes: { base64: "AP8=" } }
        - name: more
          entries:
            - { path: /etc/more, text: "more", mode: "0600" }
      config:
        user: app
        workingDir: /srv
        cmd: [/srv/run.sh]
        env: { PATH: /usr/bin }
        labels: { made.by: hand }
      """)
  }

  @Test("umoci unpacks exactly the files, modes and owners", .enabled(if: peers("umoci") && isRoot))
  func umoci() throws {
    try room.assemble("-o", "layout")
    try room.peer("umoci", "unpack", "--image", "layout:latest", "bundle")
    #expect(
      try room.tree("bundle/rootfs") == [
        "bin l 777 0:0 usr/bin",
        "etc d 755 0:0",
        "etc/group f 644 0:0",
        "etc/more f 600 0:0",
        "etc/origin f 644 0:0",
        "etc/passwd f 644 0:0",
        "opt d 755 0:0",
        "opt/box d 1770 1000:1001",
        "opt/link l 777 1000:1001 tool",
        "opt/same f 4755 1000:1001",
        "opt/tool f 4755 1000:1001",
        "srv d 755 33:33",
        "srv/Főtanúsítvány.crt f 644 33:33",
        "srv/index.html f 644 33:33",
        "srv/\(Self.longName) f 644 33:33",
        "srv/run.sh f 755 33:33",
        "srv/sub d 755 33:33",
        "srv/sub/deep f 644 33:33",
        "srv/sub/link l 777 33:33 ../index.html",
        "tmp d 1777 0:0",
        "usr d 755 0:0",
        "usr/bin d 755 0:0",
        "usr/bin/alias f 4755 0:0",
        "usr/bin/su f 4755 0:0",
        "usr/bin/wall f 2755 0:5",
      ])
    let names = ["opt/tool", "opt/same", "usr/bin/su", "usr/bin/alias"]
    let links = try room.shell(
      #"cd bundle/rootfs && stat -c %h "$@""#, "sh", names[0], names[1], names[2], names[3])
    #expect(links == "2\n2\n2\n2\n")
    #expect(try room.peer("stat", "-c", "%Y", "bundle/rootfs/etc/origin") == "1752582600\n")
    #expect(try room.peer("stat", "-c", "%Y", "bundle/rootfs/srv/run.sh") == "0\n")
    #expect(try room.peer("cat", "bundle/rootfs/opt/same") == "tool")
    try room.expectValid("layout")
  }

  @Test(
    "umoci unpacks extended attributes",
    .enabled(if: peers("umoci", "python3") && isRoot),
    .enabled(if: works("python3", "-c", Self.probe), "the file system takes no attributes"))
  func attributes() throws {
    try room.assemble("-o", "layout")
    try room.peer("umoci", "unpack", "--image", "layout:latest", "bundle")
    let found = try room.peer(
      "python3", "-c",
      """
      import os
      path = "bundle/rootfs/etc/origin"
      for name in sorted(os.listxattr(path)): print(name, os.getxattr(path, name))
      """)
    #expect(found == "user.bytes b'\\x00\\xff'\nuser.origin b'ociforge'\n")
    try room.expectValid("layout")
  }

  private static let probe = """
    import os, tempfile
    with tempfile.NamedTemporaryFile() as file: os.setxattr(file.name, "user.probe", b"x")
    """

  @Test("bsdtar lists a layer as it was defined", .enabled(if: peers("bsdtar")))
  func bsdtar() throws {
    try room.assemble("-o", "layout")
    let listing = try manifest().layers.map { layer in
      try room.peer(
        "bsdtar", "--numeric-owner", "-tvf",
        "layout/blobs/sha256/\(layer.digest.dropFirst("sha256:".count))",
        environment: ["TZ": "UTC", "LC_ALL": "C.UTF-8"])
    }
    try expectGolden("interop/layers.txt", listing.joined(separator: "\n"))
    try room.expectValid("layout")
  }

  private struct Manifest: Decodable {
    struct Part: Decodable { let digest: String }
    let config: Part
    let layers: [Part]
  }

  private func manifest() throws -> Manifest {
    let raw = try room.forge(["inspect", "--raw", "oci:layout"])
    return try JSONDecoder().decode(Manifest.self, from: Data(raw.stdout))
  }

  @Test(
    "skopeo copies the layout to archives and back, and the digest stays",
    .enabled(if: peers("skopeo")))
  func skopeo() throws {
    let digest = try room.assemble("-o", "layout")
    for (source, destination) in [
      ("oci:layout:latest", "oci-archive:one.tar:latest"),
      ("oci-archive:one.tar:latest", "oci:back:latest"),
      ("oci:layout:latest", "dir:folder"),
      ("oci:layout:latest", "docker-archive:two.tar:everything:latest"),
    ] {
      try room.peer("skopeo", "--insecure-policy", "copy", source, destination)
    }
    #expect(
      try room.peer("skopeo", "inspect", "--format", "{{.Digest}}", "oci:back:latest")
        == "\(digest)\n")
    #expect(
      try room.peer("skopeo", "inspect", "--format", "{{.Digest}}", "dir:folder") == "\(digest)\n")
    #expect(
      try room.forge(["ls", "oci-archive:one.tar"]).output
        == room.forge(["ls", "oci:layout"]).output)
    #expect(
      try room.forge(["ls", "docker-archive:two.tar"]).output
        == room.forge(["ls", "oci:layout"]).output)
    try room.expectValid("layout")
    try room.expectValid("back:latest")
  }

  @Test("skopeo reads the archives that assemble writes", .enabled(if: peers("skopeo")))
  func archives() throws {
    let digest = try room.assemble(
      "-o", "layout", "--archive", "image.tar", "--docker-archive", "docker.tar")
    #expect(
      try room.peer("skopeo", "inspect", "--format", "{{.Digest}}", "oci-archive:image.tar:latest")
        == "\(digest)\n")
    for source in ["oci-archive:image.tar", "docker-archive:docker.tar"] {
      let config = try room.peer("skopeo", "inspect", "--config", source)
      #expect(
        config == (try room.peer("skopeo", "inspect", "--config", "oci:layout:latest")), "\(source)"
      )
      try room.peer(
        "skopeo", "--insecure-policy", "copy", source, "oci:from-\(source.prefix(3)):latest")
    }
    #expect(
      try room.forge(["ls", "oci:from-doc"]).output == room.forge(["ls", "oci:layout"]).output)
    try room.expectValid("layout")
    try room.expectValid("from-oci:latest")
    try room.expectValid("from-doc:latest")
  }

  @Test(
    "podman loads the archives that assemble writes",
    .enabled(if: peers("podman", "runc") && isRoot),
    arguments: ["--archive", "--docker-archive"])
  func podmanLoads(option: String) throws {
    try room.assemble("-o", "layout", option, "image.tar")
    try room.podman(["load", "-i", "image.tar"])
    let id = try room.podman(["images", "--quiet", "--no-trunc"])
    #expect(id == "\(try manifest().config.digest)\n")
    let config = try room.podman([
      "image", "inspect", "--format",
      "{{.RepoTags}} {{.User}} {{.Config.WorkingDir}} {{.Config.Cmd}} {{.Labels}}",
      String(id.dropLast()),
    ])
    let name = option == "--archive" ? "localhost/latest" : "docker.io/library/everything"
    #expect(config == "[\(name):latest] app /srv [/srv/run.sh] map[made.by:hand]\n")
    try room.expectValid("layout")
  }
}
