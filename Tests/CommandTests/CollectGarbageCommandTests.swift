import SystemPackage
import TestSupport
import Testing

@Suite("gc") struct CollectGarbageCommandTests {
  private let workshop: Workshop

  init() throws { workshop = try Workshop() }

  @Test("what is tagged is no garbage")
  func nothing() throws {
    try workshop.assemble(Sample.two, ["-o", "layout"])
    for arguments in [["oci:layout"], ["layout"], ["--dry-run", "layout"]] {
      try workshop.expect(["gc"] + arguments, stdout: "0 files, 0 bytes\n")
    }
    try workshop.expectValid("oci:layout")
  }

  @Test("after untag exactly the image's own blobs go; --dry-run says so and removes none")
  func afterUntag() throws {
    try workshop.assemble(Sample.two, ["-o", "layout", "-t", "two"])
    let kept = workshop.names(in: "layout/blobs/sha256")
    // Shares no blob but one layer with the other image.
    let sharing = Sample.two.replacing("\"${arch}\\n\"", with: "\"another\\n\"")
    try workshop.assemble(sharing, ["-o", "layout", "-t", "other"])
    let all = workshop.names(in: "layout/blobs/sha256")
    // Index, two manifests and configs, and one system layer that both platforms share.
    #expect(all.count == kept.count + 6)
    let sizes = try run(
      "stat", ["-c", "%s"] + Set(all).subtracting(kept),
      in: workshop.path.appending("layout").appending("blobs").appending("sha256"))
    let byteCount = sizes.output.split(separator: "\n").compactMap { Int($0) }.reduce(0, +)
    _ = try workshop.run(["untag", "oci:layout:other"])
    try workshop.expect(["gc", "--dry-run", "layout"], stdout: "6 files, \(byteCount) bytes\n")
    #expect(workshop.names(in: "layout/blobs/sha256") == all)
    try workshop.expect(["gc", "layout"], stdout: "6 files, \(byteCount) bytes\n")
    #expect(workshop.names(in: "layout/blobs/sha256") == kept)
    try workshop.expectValid("oci:layout")
  }

  @Test("a broken index stops it: nobody knows what that led to")
  func broken() throws {
    try workshop.assemble(Sample.one, ["-o", "layout"])
    let blobs = workshop.names(in: "layout/blobs/sha256")
    try workshop.folder.write("layout/index.json", "{")
    let finished = try workshop.run(["gc", "layout"])
    #expect(finished.status == 65)
    #expect(finished.output == "")
    #expect(finished.stderr.hasPrefix("error: reading \"layout/index.json\": not valid JSON: "))
    #expect(workshop.names(in: "layout/blobs/sha256") == blobs)
  }

  @Test("a folder that is no layout exits 66 and stays as it is")
  func noLayout() throws {
    try workshop.folder.write("mine/letter", "dear")
    try workshop.expect(
      ["gc", "mine"], status: 66,
      stderr:
        "error: \"mine\" is not an image layout: expected a folder with the files \"oci-layout\" and \"index.json\", found a folder without \"oci-layout\"\n"
    )
    #expect(workshop.names(in: "mine") == ["letter"])
  }

  @Test("one image of a layout is not what it takes: exit 64")
  func oneImage() throws {
    try workshop.assemble(Sample.one, ["-o", "layout"])
    for reference in ["oci:layout:latest", "layout:latest", "oci:layout@\(Sample.oneDigest)"] {
      try workshop.expect(
        ["gc", reference], status: 64,
        stderr:
          "error: expected a layout, oci:DIR, got \"\(reference)\"; all that no tag reaches goes, untag what is not needed\n"
      )
    }
    try workshop.expect(
      ["gc", "oci-archive:one.tar"], status: 64,
      stderr: "error: expected an image in a layout, oci:DIR[:TAG], got \"oci-archive:one.tar\"\n")
  }
}
