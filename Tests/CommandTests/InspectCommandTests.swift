import Foundation
import TestSupport
import Testing

@Suite("inspect") struct InspectCommandTests {
  private let workshop: Workshop

  init() throws {
    workshop = try Workshop()
    try workshop.assemble(Sample.one, ["-o", "one"])
    try workshop.assemble(Sample.two, ["-o", "two", "--archive", "two.tar"])
  }

  @Test("the summary is as recorded", arguments: ["one", "two"])
  func summary(_ name: String) throws {
    let finished = try workshop.run(["inspect", "oci:\(name)"])
    #expect(finished.status == 0)
    #expect(finished.stderr == "")
    try expectGolden("command/inspect/\(name).txt", finished.output)
  }

  @Test("--json is as recorded, and is JSON")
  func json() throws {
    let finished = try workshop.run(["inspect", "oci:two", "--json"])
    #expect(finished.status == 0)
    #expect(finished.stderr == "")
    try expectGolden("command/inspect/two.json", finished.output)
    _ = try JSONSerialization.jsonObject(with: Data(finished.stdout))
  }

  @Test("--platform shows that image alone")
  func platform() throws {
    let finished = try workshop.run(["inspect", "oci:two", "--platform", "linux/arm64"])
    #expect(finished.status == 0)
    #expect(finished.output.contains("\nplatform     linux/arm64\n"))
    #expect(!finished.output.contains("linux/amd64"))
  }

  @Test("--raw gives the bytes that the digest is of: index, manifest and config")
  func raw() throws {
    let index = try workshop.run(["inspect", "oci:two", "--raw"])
    #expect(try "sha256:\(workshop.sha256(index.stdout))" == Sample.twoDigest)
    let object = try JSONSerialization.jsonObject(with: Data(index.stdout)) as? [String: Any]
    let entries = try #require(object?["manifests"] as? [[String: Any]])
    #expect(entries.count == 2)
    for entry in entries {
      let platform = try #require(entry["platform"] as? [String: String])
      let choice = ["--platform", "linux/\(platform["architecture"] ?? "")"]
      let manifest = try workshop.run(["inspect", "oci:two", "--raw"] + choice)
      #expect(try "sha256:\(workshop.sha256(manifest.stdout))" == entry["digest"] as? String)
      let document = try JSONSerialization.jsonObject(with: Data(manifest.stdout)) as? [String: Any]
      let wanted = (document?["config"] as? [String: Any])?["digest"] as? String
      let config = try workshop.run(["inspect", "oci:two", "--raw", "--config"] + choice)
      #expect(try "sha256:\(workshop.sha256(config.stdout))" == wanted)
    }
  }

  @Test("an archive and a digest are read like a layout")
  func otherReferences() throws {
    let layout = try workshop.run(["inspect", "oci:two", "--raw"])
    for reference in [
      "oci-archive:two.tar", "oci-archive:two.tar:latest", "oci:two@\(Sample.twoDigest)",
    ] {
      let finished = try workshop.run(["inspect", reference, "--raw"])
      #expect(finished.status == 0, "\(reference)")
      #expect(finished.stderr == "", "\(reference)")
      #expect(finished.stdout == layout.stdout, "\(reference)")
    }
  }

  @Test("flags that exclude each other exit 64")
  func usage() throws {
    for (flags, error) in [
      (["--json", "--raw"], "--json and --raw exclude each other"),
      (["--config"], "--config goes with --raw"),
    ] {
      let finished = try workshop.run(["inspect", "oci:one"] + flags)
      #expect(finished.status == 64)
      #expect(finished.output == "")
      #expect(finished.stderr.hasPrefix("error: \(error)\nUsage: ociforge inspect "))
    }
  }

  @Test("a bare reference that names something local exits 66 and says what was meant")
  func didYouMean() throws {
    for (reference, meant) in [
      ("one", "\"oci:one\""), ("./one", "\"oci:./one\""), ("one:latest", "\"oci:one:latest\""),
      ("two.tar", "\"oci-archive:two.tar\" or \"docker-archive:two.tar\""),
    ] {
      try workshop.expect(
        ["inspect", reference], status: 66,
        stderr:
          "error: \"\(reference)\" would be an image in a registry; did you mean \(meant)?\n")
    }
  }

  @Test("what is not there exits 66, with what there is")
  func missing() throws {
    try workshop.expect(
      ["inspect", "oci:one:v9"], status: 66,
      stderr: "error: layout \"one\" has no tag \"v9\"; it has \"latest\"\n")
    try workshop.expect(
      ["inspect", "oci:nowhere"], status: 66,
      stderr:
        "error: \"nowhere\" is not an image layout: expected a folder with the files \"oci-layout\" and \"index.json\", found nothing of that name\n"
    )
    try workshop.expect(
      ["inspect", "oci-archive:nowhere.tar"], status: 66,
      stderr: "error: reading \"nowhere.tar\": No such file or directory\n")
    try workshop.expect(
      ["inspect", "oci:two", "--platform", "linux/s390x"], status: 66,
      stderr: "error: no image for linux/s390x in \"oci:two\", which has linux/amd64, linux/arm64\n"
    )
    let zeros = "sha256:" + String(repeating: "0", count: 64)
    try workshop.expect(
      ["inspect", "oci:two@\(zeros)"], status: 66,
      stderr: "error: nothing that \"oci:two\" leads to has the digest \(zeros)\n")
  }

  @Test("several images without a tag \"latest\": the tags are listed")
  func ambiguous() throws {
    try workshop.assemble(Sample.one, ["-o", "both", "-t", "v1"])
    try workshop.assemble(Sample.two, ["-o", "both", "-t", "v2"])
    try workshop.expect(
      ["inspect", "oci:both"], status: 66,
      stderr:
        "error: layout \"both\" has several images and none is tagged \"latest\": \"v1\", \"v2\"; name one as oci:DIR:TAG or oci:DIR@DIGEST\n"
    )
  }

  @Test("a document that was changed exits 65 with both digests")
  func changed() throws {
    let hex = Sample.oneDigest.dropFirst("sha256:".count)
    try workshop.folder.write("one/blobs/sha256/\(hex)", "{}")
    try workshop.expect(
      ["inspect", "oci:one"], status: 65,
      stderr:
        "error: reading blob \"one/blobs/sha256/\(hex)\": digest mismatch: expected \(Sample.oneDigest), found sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a; the file was changed after it was written\n"
    )
  }

  @Test("text in an image cannot drive the terminal")
  func hostileText() throws {
    let hostile = Sample.one.replacing(
      "workingDir: /tmp", with: "workingDir: /tmp\n  labels: { a: \"\\e[2J\\u202Egnp\" }")
    try workshop.assemble(hostile, ["-o", "hostile"])
    let finished = try workshop.run(["inspect", "oci:hostile"])
    #expect(finished.output.contains("label        a=\\u{1b}[2J\\u{202e}gnp\n"))
  }
}
