import Foundation
import SystemPackage
import TestSupport
import Testing

/// The same definition where everything around it differs. The digest is pinned: another one is a break of
/// format version 1, never a change of this file.
struct DeterminismTests {
  private static let digest =
    "sha256:395e34f3007acc29d5b46ded6732165f181cdf45e1e70d8ea82c458a2fd8417d"

  private let room: Room

  init() throws {
    room = try Room()
    try room.peer("chmod", "755", room.path.string)
    for name in Self.names {
      try room.directory.write("first/tree/\(name)", "content of \(name)\n")
    }
    try room.directory.write("first/tree/run", "#!/bin/sh\n", mode: 0o755)
    try room.directory.write("first/payload", letters(3 << 20) + noise(1 << 20))
    try room.directory.write("packed/data", letters(100_000))
    try room.peer(
      "tar", "-C", room("packed"), "--owner=7:8", "--mode=4750", "-czf", room("first/files.tar.gz"),
      "data")
    try room.directory.write(
      "first/image.yaml",
      """
      formatVersion: 1
      name: same
      platforms: [linux/arm64, linux/amd64]
      from: scratch
      accounts: { users: [{ name: app, uid: 10001 }], groups: [{ name: app, gid: 10001 }] }
      inputs:
        payload: { file: payload }
      layers:
        - name: files
          entries:
            - { path: /srv/tree, tree: tree }
            - { path: /srv/payload, input: payload, owner: "10001:10001" }
            - { path: /srv/again, hardlink: /srv/payload }
            - { path: /opt, archive: files.tar.gz }
            - { path: /etc/motd, text: "on ${arch}\\n", xattrs: { user.origin: made } }
            - { path: /var/empty, directory: true, mode: "0700" }
        - name: links
          entries:
            - { path: /bin/run, symlink: /srv/tree/run }
      config: { user: app, env: { B: "2", A: "1" }, exposedPorts: [8125/udp, 80], entrypoint: [/bin/run] }
      annotations: { z: last, a: first }
      """)
  }

  // Orders that a locale, a normalisation or a file system would give another sense.
  private static let names = [
    "B", "ab", "A-", "a.b", "a/b", "a-b", "é", "e\u{301}", "Ü/ß", "10", "9", "z", "日本", "_",
    String(repeating: "n", count: 180),
  ]

  private func copy(to folder: String, umask: String = "022", reversed: Bool = false) throws {
    try room.shell(
      """
      umask \(umask)
      mkdir -p "$1" && cd first
      find . -type f | LC_ALL=C sort \(reversed ? "-r" : "") | while read -r name; do
        mkdir -p "$1/${name%/*}" && cp "$name" "$1/$name"
      done
      """, "sh", folder)
  }

  private func expectSame(
    _ folder: String, environment: [String: String?] = [:], in directory: String = ".",
    under wrapper: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let found = try room.assemble(
      folder, "-o", room("layout"), environment: environment, in: directory, under: wrapper,
      sourceLocation: sourceLocation)
    #expect(found == Self.digest, sourceLocation: sourceLocation)
    try room.expectValid("layout", sourceLocation: sourceLocation)
  }

  @Test("twice in one place, and with nothing in the cache")
  func twice() throws {
    try expectSame("first")
    try expectSame("first")
    try expectSame("first", environment: ["OCIFORGE_CACHE": room("other-cache")])
  }

  @Test("the definition's folder, and the files made in another order")
  func otherFolder() throws {
    try copy(to: room("second/deeper/folder"), reversed: true)
    try expectSame("second/deeper/folder")
  }

  @Test(
    "another file system", .enabled(if: FileManager.default.isWritableFile(atPath: "/dev/shm")))
  func otherFileSystem() throws {
    let memory = try room.peer("mktemp", "-d", "/dev/shm/ociforge-test.XXXXXX").dropLast()
    defer { try? FileManager.default.removeItem(atPath: String(memory)) }
    try copy(to: String(memory), reversed: true)
    try expectSame(String(memory))
  }

  @Test("the umask of the checkout and of the run", arguments: ["000", "022", "002", "077"])
  func umask(_ umask: String) throws {
    try copy(to: room("second"), umask: umask)
    try expectSame("second", under: ["sh", "-c", #"umask "$1"; shift; exec "$@""#, "sh", umask])
  }

  @Test(
    "time zone and locale",
    arguments: [
      ["TZ": "Pacific/Kiritimati", "LANG": "C", "LC_ALL": "C"],
      ["TZ": "America/St_Johns", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"],
      ["TZ": "UTC", "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8"],
    ])
  func environment(_ environment: [String: String]) throws {
    try expectSame("first", environment: environment.mapValues { $0 })
  }

  @Test("the working directory and how the definition is named")
  func workingDirectory() throws {
    try expectSame(".", in: "first")
    try expectSame("image.yaml", in: "first")
    try expectSame("../../image.yaml", in: "first/tree/Ü")
    try expectSame(room("first"), in: "/")
  }

  @Test("the times of the files")
  func times() throws {
    try room.peer("find", "first", "-exec", "touch", "-d", "2001-02-03T04:05:06.789", "{}", "+")
    try expectSame("first")
  }

  @Test("one processor", .enabled(if: peers("taskset")))
  func oneProcessor() throws { try expectSame("first", under: ["taskset", "1"]) }

  @Test(
    "another user",
    .enabled(
      if: isRoot && works("setpriv", "--reuid", "65534", Built.ociforge, "version"),
      "needs root, and a build that others can read"))
  func otherUser() throws {
    try copy(to: room("second"))
    try room.peer("mkdir", "-m", "777", "free")
    let found = try room.assemble(
      room("second"), "-o", "layout", environment: ["OCIFORGE_CACHE": room("free/cache")],
      in: "free",
      under: ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"])
    #expect(found == Self.digest)
    try room.expectValid("free/layout")
  }
}
