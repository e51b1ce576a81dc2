import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: peers("python3", "curl")))
struct ServeCommandTests {
  private let room: Room

  init() throws { room = try Room() }

  @Test(
    "serve makes the layout, says where it listens, and Ctrl-C ends it with nothing left behind")
  func lifeCycle() throws {
    let server = try Served(room, "new/layout")
    #expect(server.address.wholeMatch(of: /127\.0\.0\.1:\d+/) != nil)
    let curl = try room.curl("http://\(server.address)/v2/")
    #expect(curl == "{}")
    _ = try room.curl("-X", "POST", "http://\(server.address)/v2/a/blobs/uploads/")
    #expect(try server.end(SIGINT) == 130)
    #expect(
      server.stderr
        == "serving \"new/layout\" as \(server.address)/NAME:TAG until interrupted (Ctrl-C)\n")
    let left = try room.peer("ls", "-A", room("new/layout"))
    #expect(left == "blobs\nindex.json\noci-layout\n")
  }

  @Test("-v tells of every request, and SIGTERM ends with 143")
  func log() throws {
    let server = try Served(room, "layout", "-v")
    _ = try room.curl("-X", "POST", "http://\(server.address)/v2/a/blobs/uploads/?mount=x")
    _ = try room.curl("-I", "http://\(server.address)/v2/a/manifests/v1")
    #expect(try server.end(SIGTERM) == 143)
    #expect(
      server.stderr.hasSuffix(
        "POST /v2/a/blobs/uploads/: 400\nHEAD /v2/a/manifests/v1: 404\n"), "\(server.stderr)")
  }

  @Test("a taken port is said, with the way out; so is a folder that is no layout")
  func refusals() throws {
    let server = try Served(room, "layout")
    let port = String(server.address.split(separator: ":")[1])
    let taken = try room.forge(["serve", "other", "--port", port])
    #expect(taken.status == 69)
    #expect(taken.output == "")
    #expect(
      taken.stderr
        == "error: listening on 127.0.0.1:\(port): another program does already; name another port with --port, 0 for any that is free\n"
    )
    try room.directory.write("full/file", "x")
    let foreign = try room.forge(["serve", "full", "--port", "0"])
    #expect(foreign.status == 73)
    #expect(foreign.stderr.contains("expected an empty folder or an image layout"))
    let absent = try room.forge(["serve", "absent", "--port", "0", "--read-only"])
    #expect(absent.status == 66)
    let port70000 = try room.forge(["serve", "layout", "--port", "70000"])
    #expect(port70000.status == 64)
  }

  @Test("gc waits for the server, and not for one that only reads")
  func garbage() throws {
    try room.define("image.yaml", entry: "path: /x, text: x")
    let digest = try room.assemble("-o", "layout", "-t", "v1")
    do {
      let server = try Served(room, "layout")
      #expect(try room.forge(["gc", "layout"]).status == 73)
      #expect(try server.end(SIGINT) == 130)
    }
    let reader = try Served(room, "layout", "--read-only")
    #expect(try room.forge(["gc", "layout"]).status == 0)
    let head = try room.curl("-I", "http://\(reader.address)/v2/any/manifests/v1")
    #expect(head.contains(digest))
    let refused = try room.curl("-X", "DELETE", "http://\(reader.address)/v2/any/manifests/v1")
    #expect(refused.contains("read-only"))
  }

  @Test(
    "a blob of 256 MiB goes in, and out to eight clients at once, in less than 64 MiB of memory")
  func memory() throws {
    let server = try Served(room, "layout")
    try room.shell("head -c 268435456 /dev/urandom > blob")
    let digest = "sha256:" + String(try room.peer("sha256sum", "blob").prefix(64))
    let place = "http://\(server.address)/v2/a/blobs"
    let location = try room.curl(
      "-X", "POST", "-o", "/dev/null", "-w", "%header{location}", "\(place)/uploads/")
    // As docker sends it: chunked, its length not said.
    let patch = try room.curl(
      "-X", "PATCH", "-T", "blob", "-H", "Transfer-Encoding: chunked", "-o", "/dev/null",
      "-w", "%{http_code}", "http://\(server.address)\(location)")
    #expect(patch == "202")
    let put = try room.curl(
      "-X", "PUT", "-o", "/dev/null", "-w", "%{http_code}",
      "http://\(server.address)\(location)?digest=\(digest)")
    #expect(put == "201")
    let sum = try room.shell("curl -sS \"$0\" | sha256sum", "\(place)/\(digest)")
    #expect("sha256:" + sum.prefix(64) == digest)
    let half = try room.shell(
      "curl -sS -r 134217728- \"$0\" | cmp - blob -i 0:134217728 && echo same", "\(place)/\(digest)"
    )
    #expect(half == "same\n")
    try room.shell(
      "seq 8 | xargs -P 8 -I N curl -sS -o /dev/null \"$0\"", "\(place)/\(digest)")
    let peak = try server.peakResidentSize()
    #expect(peak < 64 << 10, "\(peak) KiB")
    #expect(try server.end(SIGTERM) == 143)
  }

  @Test(
    "skopeo pushes and pulls images and indexes, OCI and Docker's, and nothing changes on the way",
    .enabled(if: peers("skopeo")))
  func skopeo() throws {
    try room.directory.write(
      "image.yaml",
      """
      formatVersion: 1
      name: sample
      platforms: [linux/amd64, linux/arm64]
      from: scratch
      layers:
        - name: layer
          entries:
            - { path: /etc/motd, text: hello }
      """)
    let digest = try room.assemble("-o", "source", "-t", "v1")
    let server = try Served(room, "layout")
    let registry = "docker://\(server.address)"
    try room.copy("--all", "oci:source:v1", "\(registry)/team/app:v1")
    try room.copy("--all", "\(registry)/team/app:v1", "oci:back:v1")
    #expect(try room.forge(["inspect", "oci:back:v1"]).output.contains(digest))
    try room.copy("--format", "v2s2", "oci:source:v1", "\(registry)/team/app:docker")
    try room.copy("\(registry)/team/app:docker", "docker-archive:image.tar:app:v1")
    try room.copy("\(registry)/team/app:docker", "oci:back:docker")
    try room.copy("--format", "v2s2", "--all", "oci:source:v1", "\(registry)/team/app:list")
    let tags = try room.peer(
      "skopeo", "list-tags", "--tls-verify=false", "\(registry)/team/app")
    for tag in ["docker", "list", "v1"] { #expect(tags.contains("\"\(tag)\"")) }
    try room.peer("skopeo", "delete", "--tls-verify=false", "\(registry)/team/app:list")
    #expect(try server.end(SIGTERM) == 143)
    for tag in ["v1", "docker"] { try room.expectValid("layout:\(tag)") }
    try room.expectValid("back:v1")
  }

  @Test("eight pushes of eight tags at once lose nothing", .enabled(if: peers("skopeo")))
  func concurrent() throws {
    let server = try Served(room, "layout")
    var digests: [String] = []
    for number in 1...8 {
      try room.define("image.yaml", entry: "path: /number, text: \"\(number)\"")
      digests.append(try room.assemble("-o", "source", "-t", "t\(number)"))
    }
    try room.shell(
      """
      seq 8 | xargs -P 8 -I N \
        skopeo copy -q --all --dest-tls-verify=false oci:source:tN docker://$0/app:tN
      """, server.address)
    #expect(try server.end(SIGTERM) == 143)
    for (number, digest) in digests.enumerated() {
      let inspected = try room.forge(["inspect", "oci:layout:t\(number + 1)"])
      #expect(inspected.output.contains(digest))
      try room.expectValid("layout:t\(number + 1)")
    }
    #expect(try room.forge(["gc", "--dry-run", "layout"]).output == "0 files, 0 bytes\n")
  }

  @Test(
    "podman pulls what was assembled and pushes it back",
    .enabled(if: isRoot && peers("podman")))
  func podman() throws {
    try room.define("image.yaml", entry: "path: /etc/motd, text: hello")
    try room.assemble("-o", "layout", "-t", "v1")
    let server = try Served(room, "layout")
    try room.podman(["pull", "--tls-verify=false", "\(server.address)/app:v1"])
    try room.podman([
      "push", "--tls-verify=false", "\(server.address)/app:v1", "\(server.address)/copy:v2",
    ])
    #expect(try server.end(SIGTERM) == 143)
    try room.expectValid("layout:v2")
  }
}

extension Room {
  fileprivate func curl(_ arguments: String...) throws -> String {
    let finished = try run("curl", ["-sS"] + arguments, in: path)
    try #require(finished.status == 0, "\(finished.stderr)")
    return finished.output
  }
}
