import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite(.enabled(if: canMount, "mounting a small tmpfs is not permitted here"))
struct FullDiskTests {
  private let room: Room

  init() throws {
    room = try Room()
    try room.directory.write("payload", noise(16 << 20))
    try room.define("small.yaml", entry: #"path: /text, text: "was here before""#)
    try room.define("big.yaml", entry: "path: /payload, file: payload")
    try room.define("unpacked.yaml", entry: "path: /opt, archive: payload.tar.gz")
  }

  // The layout lies on a disk that is gone when the shell ends, so all is asked from inside.
  private func onSmallDisk(_ folder: String, _ command: String) throws -> Finished {
    let script = """
      set -eu
      mkdir -p "$1" && mount -t tmpfs -o size=4m tmpfs "$1"
      forge=$2
      "$forge" assemble small.yaml -o layout -t before >/dev/null 2>&1
      find layout -type f -exec sha256sum {} + | sort >first
      \(command)
      find layout -type f -exec sha256sum {} + | sort >second
      cmp first second
      find layout "$1" -name '.ociforge*'
      exit $status
      """
    return try run(
      withOwnMounts[0],
      Array(withOwnMounts.dropFirst()) + ["sh", "-c", script, "sh", folder, room.program],
      environment: ["OCIFORGE_CACHE": room("cache")], in: room.path)
  }

  @Test("a layout on a full disk keeps what it had: exit 73, the file is named, nothing is left")
  func fullLayout() throws {
    let finished = try onSmallDisk(
      "layout", #"status=0; "$forge" assemble big.yaml -o layout || status=$?"#)
    #expect(finished.status == 73)
    #expect(finished.output == "")
    #expect(
      finished.stderr.contains(/error: writing "layout\/[^"]*": No space left on device/),
      "\(finished.stderr)")
    try room.assemble("big.yaml", "-o", "elsewhere")
    try room.expectValid("elsewhere")
  }

  @Test("a full cache is named too, and the layout stays as it was")
  func fullCache() throws {
    try room.peer("tar", "-czf", "payload.tar.gz", "payload")
    let finished = try onSmallDisk(
      "cache", #"status=0; "$forge" assemble unpacked.yaml -o layout || status=$?"#)
    #expect(finished.status == 73)
    #expect(finished.output == "")
    #expect(
      finished.stderr.contains(/error: writing "[^"]*\/cache\/[^"]*": No space left on device/),
      "\(finished.stderr)")
    try room.assemble("unpacked.yaml", "-o", "elsewhere")
    try room.expectValid("elsewhere")
  }

  @Test(
    "an archive that does not fit does not appear", arguments: ["--archive", "--docker-archive"])
  func fullArchive(option: String) throws {
    let finished = try onSmallDisk(
      "small",
      #"status=0; "$forge" assemble big.yaml -o other \#(option) small/big.tar || status=$?; ls small"#
    )
    #expect(finished.status == 73)
    #expect(finished.output == "")
    #expect(
      finished.stderr.contains(/error: writing "small\/big.tar": No space left on device/),
      "\(finished.stderr)")
    try room.expectValid("other")
  }
}
