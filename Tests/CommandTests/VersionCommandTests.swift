import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("version") struct VersionCommandTests {
  @Test("program, format, encoder and libraries, one a line")
  func text() throws {
    let finished = try Workshop().run(["version"])
    #expect(finished.status == 0)
    #expect(finished.stderr == "")
    let words = finished.output.split(separator: "\n").map { line in
      line.split(separator: " ").dropLast().joined(separator: " ")
    }
    #expect(
      words == [
        "ociforge", "format version", "encoder", "libarchive", "OpenSSL", "zlib", "libdeflate",
        "libyaml",
      ])
    #expect(finished.output.contains("\nformat version 1\nencoder gzip/ld3-1m\n"))
  }

  @Test("--json says the same")
  func json() throws {
    let workshop = try Workshop()
    let finished = try workshop.run(["version", "--json"])
    #expect(finished.status == 0)
    #expect(finished.stderr == "")
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(finished.stdout)) as? [String: Any])
    #expect(object["formatVersion"] as? Int == 1)
    #expect(object["encoder"] as? String == "gzip/ld3-1m")
    let text = try workshop.run(["version"]).output
    for (_, value) in object { #expect(text.contains(" \(value)\n")) }
    try workshop.expect(["--version"], stdout: "\(object["version"] ?? "")\n")
  }

  @Test("a full disk exits 73")
  func fullDisk() throws {
    let finished = try run("sh", ["-c", "exec \"$0\" version > /dev/full", builtBinary().string])
    #expect(finished.status == 73)
    #expect(finished.stderr == "error: writing \"standard output\": No space left on device\n")
  }
}
