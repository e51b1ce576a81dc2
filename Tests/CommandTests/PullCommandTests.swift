import Foundation
import Server
import SystemPackage
import TestSupport
import Testing

@Suite("pull") struct PullCommandTests {
  private let workshop: Workshop

  init() throws {
    workshop = try Workshop()
    try workshop.assemble(Sample.one, ["-o", "far", "-t", "one"])
    try workshop.assemble(Sample.two, ["-o", "far", "-t", "two"])
  }

  /// Runs `body` with a registry that serves both images under every name.
  private func serving(
    fault: @escaping @Sendable (FaultyRegistry.Request) -> Fault? = { _ in nil },
    _ body: (FaultyRegistry) throws -> Void
  ) async throws {
    try await FaultyRegistry.serve(
      layout: workshop.path.appending("far"), fault: fault, { try body($0) })
  }

  @Test("the digest is all of stdout, and the layout has the image under the tag")
  func pulled() async throws {
    try await serving { registry in
      try workshop.expect(
        ["pull", "--progress", "none", "\(registry.host)/a:two", "oci:here"],
        stdout: "\(Sample.twoDigest)\n")
      try workshop.expectValid("oci:here:two")
      try workshop.expect(
        ["pull", "-q", "\(registry.host)/a:one", "oci:here:v1"], stdout: "\(Sample.oneDigest)\n")
      for (tag, digest) in [("two", Sample.twoDigest), ("v1", Sample.oneDigest)] {
        let inspected = try workshop.run(["inspect", "oci:here:\(tag)"])
        #expect(inspected.output.contains("digest       \(digest)\n"))
      }
      try workshop.expectValid("oci:here:v1")
    }
  }

  @Test("a digest is pulled under latest; no tag is asked for")
  func byDigest() async throws {
    try await serving { registry in
      try workshop.expect(
        ["pull", "-q", "\(registry.host)/a@\(Sample.oneDigest)", "oci:here"],
        stdout: "\(Sample.oneDigest)\n")
      #expect(registry.lines.allSatisfy { !$0.hasSuffix("/manifests/latest") })
      try workshop.expectValid("oci:here:latest")
    }
  }

  @Test("what is there is not fetched again")
  func again() async throws {
    try await serving { registry in
      let pull = ["pull", "-q", "\(registry.host)/a:two", "oci:here"]
      try workshop.expect(pull, stdout: "\(Sample.twoDigest)\n")
      let first = registry.fetchedBlobs
      #expect(Set(first).count == first.count && first.count == 5)
      try workshop.expect(pull, stdout: "\(Sample.twoDigest)\n")
      #expect(registry.fetchedBlobs == first)
    }
  }

  @Test("archives are written, too", arguments: ["oci-archive", "docker-archive"])
  func archives(_ kind: String) async throws {
    try await serving { registry in
      try workshop.expect(
        ["pull", "-q", "\(registry.host)/team/app:one", "\(kind):image.tar"],
        stdout: "\(Sample.oneDigest)\n")
      try workshop.expectValid("\(kind):image.tar")
    }
  }

  @Test("--platform brings that image alone, and --digest-file holds its digest")
  func platform() async throws {
    try await serving { registry in
      let finished = try workshop.run([
        "pull", "-q", "--platform", "linux/arm64", "--digest-file", "digest",
        "\(registry.host)/a:two", "oci:here",
      ])
      #expect(finished.status == 0 && finished.stderr == "", "\(finished.stderr)")
      #expect(finished.output != "\(Sample.twoDigest)\n")
      #expect(try workshop.read("digest") == finished.output)
      let inspected = try workshop.run(["inspect", "oci:here:two"])
      #expect(inspected.output.contains("platform     linux/arm64\n"))
      #expect(!inspected.output.contains("amd64"))
      try workshop.expectValid("oci:here:two")
    }
  }

  @Test("what the registry does not have exits 66 and leaves no image")
  func missing() async throws {
    try await serving { registry in
      let place = "\(registry.host)/a"
      try workshop.expect(
        ["pull", "\(place):v9", "oci:here"], status: 66,
        stderr:
          "error: pulling \(place):v9: GET http://\(place.replacing("/a", with: "/v2/a"))/manifests/v9: status 404: MANIFEST_UNKNOWN: no manifest \"a:v9\"; \(place) has one, two\n"
      )
      #expect(!workshop.exists("here"))
    }
  }

  @Test("bytes that are not what their digest says are never named so: exit 65")
  func damaged() async throws {
    let layer = "58659871234e413fe2460a489df7b8ed58b3a4a5347b500ae3fe2f1d8628e528"
    try await serving(
      fault: { request in
        request.path.hasSuffix(layer)
          ? .change { $0.body = .bytes([UInt8](repeating: 7, count: 146)) } : nil
      },
      { registry in
        let finished = try workshop.run(["pull", "-q", "\(registry.host)/a:one", "oci:here"])
        #expect(finished.status == 65)
        #expect(finished.output == "")
        #expect(
          finished.stderr.contains("digest mismatch: expected sha256:\(layer), got sha256:"),
          "\(finished.stderr)")
        #expect(!workshop.exists("here/blobs/sha256/\(layer)"))
        let index = (try? workshop.read("here/index.json")) ?? ""
        #expect(!index.contains(Sample.oneDigest))
      })
  }

  @Test("pull goes from a registry to a layout or an archive")
  func usage() throws {
    try workshop.expect(
      ["pull", "127.0.0.1:1/a:one", "127.0.0.1:1/b:one"], status: 64,
      stderr:
        "error: pull writes to oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME], got \"127.0.0.1:1/b:one\"; \"ociforge copy\" goes from registry to registry\n"
    )
    try workshop.expect(
      ["pull", "oci:far:one", "oci:here"], status: 64,
      stderr: "error: expected an image in a registry, HOST/PATH[:TAG], got \"oci:far:one\"\n")
  }
}
