import Foundation
import SystemPackage
import TestSupport
import Testing

/// A pod as a careful administrator makes it: a uid without a name, no capabilities, no new privileges, no
/// user namespaces, nothing writable but one folder.
@Suite(
  .enabled(if: isRoot && canMount, "taking all rights away begins with having them"),
  .enabled(if: peers("setpriv", "unshare")))
struct LockedDownTests {
  private let room: Room

  init() throws {
    // The checkout may lie where only its owner can read.
    let room = try Room()
    self.room = room
    try room.peer("chmod", "755", room.path.string)
    try room.directory.write("definition/tool", "#!/bin/sh\n", mode: 0o755)
    try room.directory.write("definition/data", letters(3 << 20))
    try room.peer(
      "tar", "-C", room("definition"), "--owner=7:7", "-czf", room("definition/files.tar.gz"),
      "data")
    try room.directory.write(
      "definition/image.yaml",
      """
      formatVersion: 1
      name: locked
      platforms: [linux/amd64, linux/arm64]
      from: scratch
      layers:
        - name: files
          entries:
            - { path: /usr/bin/tool, file: tool }
            - { path: /srv, archive: files.tar.gz }
      """)
    try room.peer("install", "-m", "755", room.program, "ociforge")
    try FileManager.default.createDirectory(
      atPath: room("writable"), withIntermediateDirectories: false)
  }

  /// Runs a shell script with no rights but to write to `writable`; `$forge` is the program.
  private func locked(_ script: String) throws -> Finished {
    let lock = """
      set -eu
      mount --make-rprivate /
      mount -t tmpfs -o mode=0777 tmpfs "$1"
      cut -d' ' -f5 /proc/self/mountinfo | while read -r point; do
        case $point in
          /proc* | "$1") ;;
          # Another test's mount may go in between.
          *) mount -o remount,bind,ro "$point" || ! [ -e "$point" ] ;;
        esac
      done
      cd "$1"
      exec setpriv --reuid 54321 --regid 54321 --clear-groups \\
        unshare --user --map-current-user --keep-caps sh -euc '
          echo 0 >/proc/sys/user/max_user_namespaces
          exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all --ambient-caps=-all \\
            sh -euc "$1"' sh "$2"
      """
    return try run(
      "unshare", ["--mount", "sh", "-c", lock, "sh", room("writable"), script],
      environment: [
        "forge": room("ociforge"), "definition": room("definition"), "HOME": nil,
        "OCIFORGE_CACHE": nil, "XDG_CACHE_HOME": nil, "TMPDIR": nil,
      ], in: room.path)
  }

  private let notice = "no cache that can be written"

  @Test("the lock is shut: no name, no capability, no namespace, no file outside")
  func lock() throws {
    let finished = try locked(
      """
      id -u
      ! getent passwd 54321
      grep -E '^(CapEff|CapPrm|CapBnd|NoNewPrivs)' /proc/self/status | tr -d '\\t'
      touch /tmp/outside "$definition/outside" 2>/dev/null || echo read-only
      unshare --user true 2>/dev/null || echo no namespace
      touch inside && echo one writable folder
      """)
    #expect(
      finished.output == """
        54321
        CapPrm:0000000000000000
        CapEff:0000000000000000
        CapBnd:0000000000000000
        NoNewPrivs:1
        read-only
        no namespace
        one writable folder

        """, "\(finished.stderr)")
  }

  @Test(
    "it assembles, gives the usual digest, says once that its cache is temporary, and leaves the layout only",
    arguments: [
      // Where the layout goes, and what is then in the writable folder.
      (output: "-o out", layout: "out", left: "out"),
      (output: "", layout: "build/locked", left: "build"),
      (output: "-o \"$PWD\"", layout: ".", left: "blobs index.json oci-layout"),
      (output: "-o .", layout: ".", left: "blobs index.json oci-layout"),
    ])
  func assembles(output: String, layout: String, left: String) throws {
    let usual = try room.assemble("definition", "-o", "usual")
    let finished = try locked(
      """
      "$forge" assemble "$definition" \(output)
      "$forge" validate oci:\(layout)
      echo $(ls -A)
      """)
    #expect(finished.status == 0, "\(finished.stderr)")
    #expect(finished.output == "\(usual)\nvalid\n\(left)\n")
    #expect(finished.stderr.components(separatedBy: notice).count == 2, "\(finished.stderr)")
  }

  @Test("where nothing can be written, it says so and exits with 73")
  func nothingWritable() throws {
    let finished = try locked(
      #"status=0; "$forge" assemble "$definition" -o "$definition/out" || status=$?; ls -A; exit $status"#
    )
    #expect(finished.status == 73)
    #expect(finished.output == "")
    #expect(
      finished.stderr.contains(/^error: .*"[^"]*\/definition\/.*": Read-only file system\n$/),
      "\(finished.stderr)")
  }
}
