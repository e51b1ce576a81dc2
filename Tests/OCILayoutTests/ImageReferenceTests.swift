import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("ImageReference")
struct ImageReferenceTests {
  private let folder: TemporaryDirectory

  init() throws {
    folder = try TemporaryDirectory()
    _ = try ImageLayout.create(folder.path.appending("Layout"))
    try folder.write("image.tar", "")
    try folder.write("plain/file", "")
  }

  @Test(
    "a text without a transport names an image in a registry; docker:// may stand before it",
    arguments: ["alpine", "docker://alpine", "docker.io/library/alpine:latest"])
  func registries(text: String) throws {
    let reference = try Reference(parsing: "alpine")
    #expect(try ImageReference(parsing: text) == .registry(reference))
    #expect("\(try ImageReference(parsing: text))" == "docker.io/library/alpine:latest")
  }

  @Test("what lies here is asked about, be the text a legal reference or not")
  func localMeanings() throws {
    for (name, suggestions) in [
      ("Layout", ["oci:"]), ("Layout:v1", ["oci:"]), ("Layout/", ["oci:"]),
      ("image.tar", ["oci-archive:", "docker-archive:"]),
      ("image.tar:v1", ["oci-archive:", "docker-archive:"]),
    ] {
      let text = "\(folder.path)/\(name)"
      let error = ImageReferenceError.didYouMean(text, suggestions: suggestions.map { $0 + text })
      #expect(throws: error) { try ImageReference(parsing: text) }
      #expect(error.kind == .notFound)
    }
    // A folder that is no layout, and nothing.
    for name in ["plain", "none"] {
      #expect(throws: ReferenceError.format("\(folder.path)/\(name)", .path)) {
        try ImageReference(parsing: "\(folder.path)/\(name)")
      }
    }
    // Who says docker:// means a registry.
    #expect(throws: ReferenceError.self) {
      try ImageReference(parsing: "docker://\(folder.path)/Layout")
    }
  }

  @Test("what is no reference says so in a reference's own words, however long it is")
  func malformed() throws {
    for (text, error) in [
      ("https://ghcr.io/o/i", ReferenceError.scheme("https")),
      ("docker://docker://alpine", .scheme("docker")), ("docker://", .empty),
      ("localhost:5000", .missingRepository("localhost:5000")),
      ("user:pass@ghcr.io/a", .format("…", .userInformation)),
    ] {
      #expect(throws: error) { try ImageReference(parsing: text) }
      #expect(error.kind == .usage)
    }
    let long = "ex.com/" + String(repeating: "a", count: 300)
    #expect(throws: ReferenceError.self) { try ImageReference(parsing: long) }
    for text in ["docker-daemon:alpine", "containers-storage:a", "dir:/a", "ocidir:a"] {
      #expect(throws: ImageReferenceError.unknownTransport(text)) {
        try ImageReference(parsing: text)
      }
    }
    #expect(throws: ImageReferenceError.empty) { try ImageReference(parsing: "") }
  }

  @Test(
    "a bare text says no transport",
    arguments: [
      ("layout", true), ("layout:v1", true), ("./layout", true), ("oci:layout", false),
      ("oci-archive:a", false), ("docker-archive:a", false), ("docker://a", false),
      ("docker-daemon:a", false),
    ])
  func bare(text: String, isBare: Bool) {
    #expect(ImageReference.isBare(text) == isBare)
  }
}
