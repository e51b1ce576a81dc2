import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: peers("python3")))
struct MemoryTests {
  @Test("assembling, validating and exporting a file of 1 GiB takes less than 96 MiB of memory")
  func largeFile() throws {
    let room = try Room()
    let block = letters(40 << 20) + noise(24 << 20)
    let file = try room.directory.write("payload", [])
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file.string))
    for _ in 0..<16 { try handle.write(contentsOf: Data(block)) }
    try handle.close()
    try room.define("image.yaml", entry: "path: /payload, file: payload")
    for command in [
      ["assemble", "-o", "layout"], ["validate", "oci:layout"], ["export", "oci:layout"],
    ] {
      let peak = try peakResidentSize(of: command, in: room)
      #expect(peak < 96 << 10, "\(command[0]): \(peak) KiB")
    }
  }

  // A small program in between: a child counts its parent's memory until it becomes what it is to be.
  private func peakResidentSize(of command: [String], in room: Room) throws -> Int {
    let script = """
      import resource, subprocess, sys
      subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
      print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
      """
    let finished = try room.forge(command, under: ["python3", "-c", script])
    try #require(finished.status == 0, "\(finished.stderr)")
    return try #require(Int(finished.output.dropLast()))
  }
}
