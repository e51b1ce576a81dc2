import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("validate") struct ValidateCommandTests {
  private let workshop: Workshop

  init() throws { workshop = try Workshop() }

  @Test("a layout, a tag, a digest and both archives are valid as they were assembled")
  func valid() throws {
    try workshop.assemble(
      Sample.one, ["-o", "one", "--archive", "one.tar", "--docker-archive", "docker.tar"])
    for reference in [
      "oci:one", "oci:one:latest", "oci:one@\(Sample.oneDigest)", "oci-archive:one.tar",
      "docker-archive:docker.tar",
    ] {
      try workshop.expectValid(reference)
    }
    try workshop.expect(["validate", "oci:one", "--json"], stdout: "[]\n")
  }

  @Test("all failures at once, on stdout, exit 65")
  func failures() throws {
    try workshop.assemble(Sample.one, ["-o", "one"])
    let index = try workshop.read("one/index.json")
    try workshop.folder.write("one/oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}")
    try workshop.folder.write(
      "one/index.json", index.replacing("\"schemaVersion\":2", with: "\"schemaVersion\":1"))
    let finished = try workshop.run(["validate", "oci:one"])
    #expect(finished.status == 65)
    #expect(finished.stderr == "")
    try expectGolden("command/validate/failures.txt", finished.output)
    let json = try workshop.run(["validate", "oci:one", "--json"])
    #expect(json.status == 65)
    #expect(json.stderr == "")
    try expectGolden("command/validate/failures.json", json.output)
    let list = try JSONSerialization.jsonObject(with: Data(json.stdout)) as? [[String: Any]]
    #expect(list?.count == finished.output.split(separator: "\n").count)
  }

  @Test("a layer with one byte changed exits 65")
  func changedLayer() throws {
    try workshop.assemble(Sample.one, ["-o", "one"])
    let manifest = try workshop.run(["inspect", "oci:one", "--raw"])
    let object = try JSONSerialization.jsonObject(with: Data(manifest.stdout)) as? [String: Any]
    let layers = try #require(object?["layers"] as? [[String: Any]])
    let digest = try #require(layers.first?["digest"] as? String)
    let name = "one/blobs/sha256/\(digest.dropFirst("sha256:".count))"
    var bytes = Array(
      try Data(contentsOf: URL(fileURLWithPath: workshop.path.appending(name).string)))
    bytes[bytes.count / 2] ^= 1
    try workshop.folder.write(name, bytes)
    let finished = try workshop.run(["validate", "oci:one"])
    #expect(finished.status == 65)
    #expect(finished.output.contains(digest))
    #expect(finished.stderr == "")
  }

  @Test("advice alone is printed and exits 0")
  func advice() throws {
    try workshop.assemble("formatVersion: 1\nname: empty\nplatforms: [linux/amd64]\n")
    let finished = try workshop.run(["validate", "oci:build/empty"])
    #expect(finished.status == 0)
    #expect(finished.output.hasSuffix("(advice of manifest.md: layers)\n"))
    #expect(finished.output.split(separator: "\n").count == 1)
    #expect(finished.stderr == "")
  }

  @Test("a folder without a layout is judged, a missing one exits 66")
  func noLayout() throws {
    try FileManager.default.createDirectory(
      atPath: workshop.path.appending("bare").string, withIntermediateDirectories: false)
    try workshop.expect(
      ["validate", "oci:bare"], status: 65,
      stdout: """
        oci-layout: expected a file, found none (image-layout.md: content)
        index.json: expected a file, found none (image-layout.md: content)
        blobs: expected a directory, found none (image-layout.md: content)

        """)
    try workshop.expect(
      ["validate", "oci:nowhere"], status: 66,
      stderr: "error: reading \"nowhere\": No such file or directory\n")
  }

  @Test("a bare reference exits 66 and says what was meant")
  func didYouMean() throws {
    try workshop.assemble(Sample.one, ["-o", "one"])
    try workshop.expect(
      ["validate", "one"], status: 66,
      stderr: "error: \"one\" would be an image in a registry; did you mean \"oci:one\"?\n")
  }
}
