import TestSupport
import Testing

@Suite("tag") struct TagCommandTests {
  private let workshop: Workshop

  init() throws {
    workshop = try Workshop()
    try workshop.assemble(Sample.one, ["-o", "layout", "-t", "one"])
    try workshop.assemble(Sample.two, ["-o", "layout", "-t", "two"])
  }

  @Test("another tag leads to the image; its digest is printed")
  func another() throws {
    try workshop.expect(["tag", "oci:layout:one", "v1"], stdout: "\(Sample.oneDigest)\n")
    for tag in ["one", "v1"] {
      let finished = try workshop.run(["inspect", "oci:layout:\(tag)"])
      #expect(finished.output.contains("digest       \(Sample.oneDigest)\n"))
    }
    try workshop.expectValid("oci:layout")
  }

  @Test("a tag that is there moves")
  func moves() throws {
    try workshop.expect(["tag", "oci:layout:two", "one"], stdout: "\(Sample.twoDigest)\n")
    let finished = try workshop.run(["inspect", "oci:layout:one"])
    #expect(finished.output.contains("digest       \(Sample.twoDigest)\n"))
    try workshop.expectValid("oci:layout")
  }

  @Test("a digest can be tagged")
  func digest() throws {
    try workshop.expect(
      ["tag", "oci:layout@\(Sample.oneDigest)", "latest"], stdout: "\(Sample.oneDigest)\n")
    try workshop.expectValid("oci:layout:latest")
  }

  @Test("what is no tag exits 64 and changes nothing", arguments: ["a/b", "", ".hidden", "ümlaut"])
  func malformed(_ tag: String) throws {
    let before = try workshop.read("layout/index.json")
    try workshop.expect(
      ["tag", "oci:layout:one", tag], status: 64,
      stderr:
        "error: not a tag: expected up to 128 letters, digits, \"_\", \".\" and \"-\", not starting with \".\" or \"-\", got \"\(tag)\"\n"
    )
    #expect(try workshop.read("layout/index.json") == before)
  }

  @Test("a tag or layout that is not there exits 66")
  func missing() throws {
    try workshop.expect(
      ["tag", "oci:layout:three", "v3"], status: 66,
      stderr: "error: layout \"layout\" has no tag \"three\"; it has \"one\", \"two\"\n")
    try workshop.expect(
      ["tag", "oci:layout", "v3"], status: 66,
      stderr:
        "error: layout \"layout\" has several images and none is tagged \"latest\": \"one\", \"two\"; name one as oci:DIR:TAG or oci:DIR@DIGEST\n"
    )
    try workshop.expect(
      ["tag", "oci:nowhere:one", "v1"], status: 66,
      stderr:
        "error: \"nowhere\" is not an image layout: expected a folder with the files \"oci-layout\" and \"index.json\", found nothing of that name\n"
    )
  }

  @Test("only layouts have tags to change; a bare folder is asked about")
  func otherReferences() throws {
    try workshop.expect(
      ["tag", "layout:one", "v1"], status: 66,
      stderr:
        "error: \"layout:one\" would be an image in a registry; did you mean \"oci:layout:one\"?\n")
    try workshop.expect(
      ["tag", "oci-archive:one.tar", "v1"], status: 64,
      stderr:
        "error: expected an image in a layout, oci:DIR[:TAG], got \"oci-archive:one.tar\"\n")
  }
}
