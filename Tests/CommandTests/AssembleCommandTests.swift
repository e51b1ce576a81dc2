import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("assemble") struct AssembleCommandTests {
  private let workshop: Workshop

  init() throws { workshop = try Workshop() }

  // MARK: The answer

  @Test("the digest is all of stdout, a line for each layer is on stderr")
  func digest() throws {
    try workshop.folder.write("image.yaml", Sample.one)
    try workshop.expect(
      ["assemble"], stdout: "\(Sample.oneDigest)\n", stderr: "files: 6 B → 146 B\n")
    try workshop.expectValid("oci:build/one")
  }

  @Test(
    "--progress none and -q leave stderr empty", arguments: [["--progress", "none"], ["-q"]])
  func silence(_ flags: [String]) throws {
    try workshop.folder.write("image.yaml", Sample.one)
    try workshop.expect(["assemble"] + flags, stdout: "\(Sample.oneDigest)\n")
  }

  @Test("several platforms give the digest of an index")
  func index() throws {
    #expect(try workshop.assemble(Sample.two) == Sample.twoDigest)
    try workshop.expectValid("oci:build/two")
  }

  @Test("--platform takes one of them and gives its manifest's digest")
  func platform() throws {
    let digest = try workshop.assemble(Sample.two, ["--platform", "linux/arm64"])
    let manifest = try workshop.run(["inspect", "oci:build/two", "--raw"])
    #expect(try "sha256:\(workshop.sha256(manifest.stdout))" == digest)
    #expect(manifest.output.contains("application/vnd.oci.image.manifest.v1+json"))
    try workshop.expectValid("oci:build/two")
  }

  @Test("--json describes what was assembled")
  func json() throws {
    try workshop.folder.write("image.yaml", Sample.two)
    let finished = try workshop.run(["assemble", "--progress", "none", "--json"])
    #expect(finished.status == 0)
    #expect(finished.stderr == "")
    try expectGolden("command/assemble/two.json", finished.output)
  }

  @Test("--digest-file holds what stdout says")
  func digestFile() throws {
    try workshop.assemble(Sample.one, ["--digest-file", "digest"])
    #expect(try workshop.read("digest") == "\(Sample.oneDigest)\n")
  }

  @Test("--archive - writes the archive to stdout and the digest to --digest-file only")
  func archiveOnStdout() throws {
    try workshop.folder.write("image.yaml", Sample.two)
    let piped = try workshop.run(
      ["assemble", "--progress", "none", "--archive", "-", "--digest-file", "digest"])
    #expect(piped.status == 0)
    #expect(piped.stderr == "")
    #expect(try workshop.read("digest") == "\(Sample.twoDigest)\n")
    try workshop.expect(
      ["assemble", "--progress", "none", "--archive", "two.tar"], stdout: "\(Sample.twoDigest)\n")
    let file = try Data(contentsOf: URL(fileURLWithPath: workshop.path.appending("two.tar").string))
    #expect(Data(piped.stdout) == file, "the same bytes as in a file")
    try workshop.expectValid("oci-archive:two.tar")
  }

  @Test("--docker-archive - leaves the digest out of the archive")
  func dockerArchiveOnStdout() throws {
    try workshop.folder.write("image.yaml", Sample.one)
    let piped = try workshop.run(["assemble", "--progress", "none", "--docker-archive", "-"])
    #expect(piped.status == 0)
    #expect(piped.stderr == "")
    try workshop.assemble(Sample.one, ["--docker-archive", "one.tar"])
    let file = try Data(contentsOf: URL(fileURLWithPath: workshop.path.appending("one.tar").string))
    #expect(Data(piped.stdout) == file)
    try workshop.expectValid("docker-archive:one.tar")
  }

  @Test("--docker-archive of several platforms is refused and names them")
  func dockerArchiveOfSeveral() throws {
    try workshop.folder.write("image.yaml", Sample.two)
    try workshop.expect(
      ["assemble", "--docker-archive", "two.tar"], status: 64,
      stderr:
        "error: --docker-archive takes one platform, the definition has linux/amd64, linux/arm64; choose one with --platform\n"
    )
    #expect(!workshop.exists("two.tar"))
    #expect(!workshop.exists("build"))
  }

  // MARK: Where things are

  @Test("a definition is named by its file, its folder, or nothing at all")
  func places() throws {
    try workshop.folder.write("image.yaml", Sample.one)
    try workshop.folder.write("sub/image.yaml", Sample.one)
    for place in [[], ["."], ["image.yaml"], ["sub"], ["sub/image.yaml"]] {
      try workshop.expect(["assemble", "-q"] + place, stdout: "\(Sample.oneDigest)\n")
    }
    #expect(workshop.names(in: "build") == ["one"], "in the working directory, not beside the file")
    #expect(workshop.names(in: "sub") == ["image.yaml"])
  }

  @Test("-o names the layout, -t the tag")
  func output() throws {
    try workshop.assemble(Sample.one, ["-o", "out/layout", "-t", "v1"])
    #expect(workshop.names(in: "out/layout") == ["blobs", "index.json", "oci-layout"])
    #expect(!workshop.exists("build"))
    try workshop.expectValid("oci:out/layout:v1")
  }

  @Test("files of the definition lie relative to it, wherever the program starts")
  func relativeFiles() throws {
    try workshop.folder.write("app/image.yaml", Self.withFile("../shared/motd"))
    try workshop.folder.write("shared/motd", "shared\n")
    #expect(try workshop.run(["assemble", "-q", "app"]).status == 0)
    try workshop.expect(["cat", "oci:build/file", "/motd"], stdout: "shared\n")
  }

  // MARK: The layout that is there

  @Test("assembling twice leaves index.json as it is, byte for byte and in place")
  func twice() throws {
    try workshop.assemble(Sample.two)
    let index = try workshop.read("build/two/index.json")
    let blobs = workshop.names(in: "build/two/blobs/sha256")
    let number = try inode("build/two/index.json")
    try workshop.assemble(Sample.two)
    #expect(try workshop.read("build/two/index.json") == index)
    #expect(try inode("build/two/index.json") == number, "not even written again")
    #expect(workshop.names(in: "build/two/blobs/sha256") == blobs)
    #expect(workshop.names(in: "build/two") == ["blobs", "index.json", "oci-layout"])
  }

  @Test("the tags of other images survive, also where the tag moves")
  func otherTags() throws {
    try workshop.assemble(Sample.one, ["-o", "layout", "-t", "old"])
    try workshop.assemble(Sample.two, ["-o", "layout"])
    let moved = Sample.one.replacing("hello", with: "good day")
    let digest = try workshop.assemble(moved, ["-o", "layout"])
    #expect(try tags(of: "layout") == ["latest": digest, "old": Sample.oneDigest])
    try workshop.expectValid("oci:layout")
  }

  @Test("what other tools put into index.json survives")
  func foreignEntries() throws {
    try workshop.assemble(Sample.one, ["-o", "layout", "-t", "old"])
    let file = workshop.path.appending("layout").appending("index.json").string
    var index = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: file)))
        as? [String: Any])
    index["annotations"] = ["org.example.tool": "kept"]
    index["x-unknown"] = ["a": 1]
    var entries = try #require(index["manifests"] as? [[String: Any]])
    entries[0]["annotations"] = ["io.containerd.image.name": "docker.io/library/one:1"]
    entries[0]["x-entry"] = true
    index["manifests"] = entries
    try JSONSerialization.data(withJSONObject: index).write(to: URL(fileURLWithPath: file))
    try workshop.assemble(Sample.two, ["-o", "layout"])
    var after = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: file)))
        as? [String: Any])
    let entriesAfter = try #require(after["manifests"] as? [[String: Any]])
    #expect(entriesAfter.count == 2)
    after["manifests"] = Array(entriesAfter.prefix(1))
    #expect(after as NSDictionary == index as NSDictionary)
  }

  @Test("a run that fails leaves the layout as it was")
  func failure() throws {
    try workshop.assemble(Sample.one)
    let before = try run("find", ["build", "-printf", "%p %i %s\\n"], in: workshop.path).output
    try workshop.folder.write(
      "image.yaml",
      Sample.one.replacing(
        "- { path: /tmp, directory: true, mode: \"1777\" }",
        with: "- { path: /bin/tool, file: missing }"))
    try workshop.expect(
      ["assemble", "--progress", "none"], status: 66,
      stderr: "error: ./image.yaml:9:9: reading \"./missing\": no such file\n")
    #expect(
      try run("find", ["build", "-printf", "%p %i %s\\n"], in: workshop.path).output == before)
  }

  // MARK: Time

  @Test("SOURCE_DATE_EPOCH decides where nobody else does, and is said")
  func sourceDateEpoch() throws {
    try workshop.folder.write("image.yaml", Sample.one.replacing("epoch: 0\n", with: ""))
    let environment = ["SOURCE_DATE_EPOCH": Optional("86400")]
    let finished = try workshop.run(
      ["assemble", "--progress", "none"], environment: environment)
    #expect(finished.status == 0)
    #expect(finished.stderr == "epoch 86400 from SOURCE_DATE_EPOCH\n")
    #expect(try created() == "1970-01-02T00:00:00Z")
    try workshop.expect(
      ["assemble", "-q"], stdout: "\(Sample.oneDigest)\n")
  }

  @Test("the definition's epoch overrides SOURCE_DATE_EPOCH, --epoch overrides both")
  func epochs() throws {
    try workshop.folder.write("image.yaml", Sample.one)
    let environment = ["SOURCE_DATE_EPOCH": Optional("86400")]
    try workshop.expect(
      ["assemble", "--progress", "none"], environment: environment,
      stdout: "\(Sample.oneDigest)\n")
    let finished = try workshop.run(
      ["assemble", "--progress", "none", "--epoch", "172800"], environment: environment)
    #expect(finished.stderr == "")
    #expect(try created() == "1970-01-03T00:00:00Z")
  }

  @Test("a SOURCE_DATE_EPOCH that is no time is refused where it would decide, else ignored")
  func badSourceDateEpoch() throws {
    let environment = ["SOURCE_DATE_EPOCH": Optional("yesterday")]
    try workshop.folder.write("image.yaml", Sample.one.replacing("epoch: 0\n", with: ""))
    try workshop.expect(
      ["assemble"], environment: environment, status: 64,
      stderr:
        "error: SOURCE_DATE_EPOCH: expected seconds since 1970 as digits below 2^33, got \"yesterday\"; mend it or give --epoch\n"
    )
    try workshop.expect(
      ["assemble", "-q", "--epoch", "0"], environment: environment,
      stdout: "\(Sample.oneDigest)\n")
  }

  // MARK: Usage

  struct Slip: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    /// The first line; what follows of the parser's own errors is the usage.
    let error: String
    var testDescription: String { arguments.joined(separator: " ") }

    init(_ arguments: [String], _ error: String) {
      self.arguments = arguments
      self.error = error
    }
  }

  @Test(
    "a slip in the arguments exits 64, says what was expected, and writes nothing",
    arguments: [
      Slip(["--platfrom", "x"], "Unknown option '--platfrom'. Did you mean '--platform'?"),
      Slip(["one", "two"], "Unexpected argument 'two'"),
      Slip(
        ["--platform", "amd64"],
        "The value 'amd64' is invalid for '--platform <platform>': not a platform: expected \"os/architecture\" or \"os/architecture/variant\" such as \"linux/amd64\", got \"amd64\""
      ),
      Slip(
        ["--platform", "linux/x86_64"],
        "The value 'linux/x86_64' is invalid for '--platform <platform>': not a platform: images say \"linux/amd64\" for \"linux/x86_64\""
      ),
      Slip(
        ["--platform", "linux/s390x"],
        "--platform: expected a platform of the definition, found \"linux/s390x\"; there is \"linux/amd64\""
      ),
      Slip(
        ["--set", "version"],
        "The value 'version' is invalid for '--set <name=value>': expected NAME=VALUE"),
      Slip(
        ["--set", "a=1"],
        "--set: expected a parameter of the definition, found \"a\"; there are none"),
      Slip(["--set", "a=1", "--set", "a=2"], "parameter \"a\" is set twice"),
      Slip(
        ["--epoch", "-1"],
        "The value '-1' is invalid for '--epoch <seconds>': expected seconds since 1970 as digits below 2^33"
      ),
      Slip(
        ["--epoch", "8589934592"],
        "The value '8589934592' is invalid for '--epoch <seconds>': expected seconds since 1970 as digits below 2^33"
      ),
      Slip(
        ["--epoch", "now"],
        "The value 'now' is invalid for '--epoch <seconds>': expected seconds since 1970 as digits below 2^33"
      ),
      Slip(["--json", "--archive", "-"], "only one of --archive -, --json can have stdout"),
      Slip(
        ["--docker-archive", "-", "--archive", "-"],
        "only one of --archive -, --docker-archive - can have stdout"),
      Slip(["-v", "-q"], "-v and -q exclude each other"),
      Slip(
        ["--progress", "loud"],
        "The value 'loud' is invalid for '--progress <progress>'. Please provide one of 'auto', 'plain' or 'none'."
      ),
      Slip(
        ["--tag", "a/b"],
        "not a tag: expected up to 128 letters, digits, \"_\", \".\" and \"-\", not starting with \".\" or \"-\", got \"a/b\""
      ),
    ])
  func usage(_ slip: Slip) throws {
    try workshop.folder.write("image.yaml", Sample.one)
    let finished = try workshop.run(["assemble"] + slip.arguments)
    #expect(finished.status == 64)
    #expect(finished.output == "")
    let lines = finished.stderr.split(separator: "\n", maxSplits: 1)
    #expect(lines.first.map(String.init) == "error: \(slip.error)")
    #expect(!workshop.exists("build"))
  }

  // MARK: What cannot be read or written

  @Test("no definition: exit 66 and the way to a first one")
  func noDefinition() throws {
    try workshop.expect(
      ["assemble"], status: 66,
      stderr:
        "error: no image definition at \"./image.yaml\"; \"ociforge init\" writes a first one\n"
    )
    try workshop.expect(
      ["assemble", "nowhere.yaml"], status: 66,
      stderr:
        "error: no image definition at \"nowhere.yaml\"; \"ociforge init\" writes a first one\n"
    )
  }

  @Test("an output folder that holds something else is left alone: exit 73")
  func foreignFolder() throws {
    try workshop.folder.write("image.yaml", Sample.one)
    try workshop.folder.write("mine/letter", "dear")
    try workshop.expect(
      ["assemble", "-q", "-o", "mine"], status: 73,
      stderr:
        "error: writing layout \"mine\": expected an empty folder or an image layout, found \"letter\"; name another folder\n"
    )
    #expect(workshop.names(in: "mine") == ["letter"])
  }

  @Test("outputs that cannot be written exit 73 and are named")
  func unwritable() throws {
    try workshop.folder.write("image.yaml", Sample.one)
    try workshop.expect(
      ["assemble", "-q", "-o", "image.yaml"], status: 73,
      stderr: "error: creating directory \"image.yaml\": Not a directory\n")
    try workshop.expect(
      ["assemble", "-q", "-o", "/proc/nowhere"], status: 73,
      stderr: "error: creating directory \"/proc/nowhere\": No such file or directory\n")
    for option in ["--archive", "--docker-archive", "--digest-file"] {
      try workshop.expect(
        ["assemble", "-q", option, "/dev/full"], status: 73,
        stderr: "error: writing \"/dev/full\": No space left on device\n")
    }
    let full = try run(
      "sh", ["-c", "exec \"$0\" assemble -q > /dev/full", builtBinary().string], in: workshop.path)
    #expect(full.status == 73)
    #expect(full.stderr == "error: writing \"standard output\": No space left on device\n")
  }

  // MARK: Helpers

  /// A definition with one local file.
  private static func withFile(_ path: String) -> String {
    """
    formatVersion: 1
    name: file
    platforms: [linux/amd64]
    layers:
      - name: files
        entries:
          - { path: /motd, file: \(path) }

    """
  }

  private func created() throws -> String? {
    let config = try workshop.run(["inspect", "oci:build/one", "--raw", "--config"])
    let object = try JSONSerialization.jsonObject(with: Data(config.stdout)) as? [String: Any]
    return object?["created"] as? String
  }

  private func inode(_ name: String) throws -> UInt64? {
    let path = workshop.path.appending(name).string
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return (attributes[.systemFileNumber] as? NSNumber)?.uint64Value
  }

  /// Tag → digest, as another program than ours would read it.
  private func tags(of layout: String) throws -> [String: String] {
    let object = try JSONSerialization.jsonObject(
      with: Data(workshop.read("\(layout)/index.json").utf8))
    let entries = try #require((object as? [String: Any])?["manifests"] as? [[String: Any]])
    return try Dictionary(
      entries.map { entry in
        let annotations = try #require(entry["annotations"] as? [String: String])
        return (
          try #require(annotations["org.opencontainers.image.ref.name"]),
          try #require(entry["digest"] as? String)
        )
      }, uniquingKeysWith: { "\($0) and \($1)" })
  }
}
