import TestSupport
import Testing

@Suite("untag") struct UntagCommandTests {
  private let workshop: Workshop

  init() throws {
    workshop = try Workshop()
    try workshop.assemble(Sample.one, ["-o", "layout", "-t", "one"])
    try workshop.assemble(Sample.two, ["-o", "layout", "-t", "two"])
  }

  @Test("the tag goes, its digest is printed, the blobs stay")
  func untag() throws {
    let blobs = workshop.names(in: "layout/blobs/sha256")
    try workshop.expect(["untag", "oci:layout:one"], stdout: "\(Sample.oneDigest)\n")
    #expect(workshop.names(in: "layout/blobs/sha256") == blobs)
    try workshop.expect(
      ["inspect", "oci:layout:one"], status: 66,
      stderr: "error: layout \"layout\" has no tag \"one\"; it has \"two\"\n")
    try workshop.expectValid("oci:layout:two")
  }

  @Test("a tag that is not there exits 66 with those that are")
  func missing() throws {
    try workshop.expect(
      ["untag", "oci:layout:three"], status: 66,
      stderr: "error: layout \"layout\" has no tag \"three\"; it has \"one\", \"two\"\n")
  }

  @Test("without a tag it exits 64")
  func noTag() throws {
    try workshop.expect(
      ["untag", "oci:layout"], status: 64,
      stderr: "error: expected a tag to take away, such as oci:DIR:TAG, got \"oci:layout\"\n")
  }
}
