import Foundation
import NIOHTTP1
import Server
import TestSupport
import Testing

@Suite("push") struct PushCommandTests {
  private let workshop: Workshop

  init() throws {
    workshop = try Workshop()
    try workshop.assemble(Sample.one, ["-o", "one"])
    try workshop.assemble(Sample.two, ["-o", "two"])
  }

  @Test("the digest is all of stdout; what was sent is said in a line")
  func pushed() async throws {
    try await FaultyRegistry.serve { registry in
      try workshop.expect(
        ["push", "--progress", "none", "oci:one", "\(registry.host)/team/app:v1"],
        stdout: "\(Sample.oneDigest)\n",
        stderr: "pushed \(registry.host)/team/app: 2 blobs sent (489 B)\n")
      #expect(registry.uploadedBlobs.count == 2)
      #expect(registry.putManifests == ["v1"])
      try workshop.expect(["tags", "\(registry.host)/team/app"], stdout: "v1\n")
      try workshop.expectValid("\(registry.host)/team/app:v1")
    }
  }

  @Test("-q leaves stderr empty")
  func quiet() async throws {
    try await FaultyRegistry.serve { registry in
      try workshop.expect(
        ["push", "-q", "oci:one", "\(registry.host)/a"], stdout: "\(Sample.oneDigest)\n")
      #expect(registry.putManifests == ["latest"])
    }
  }

  @Test("a repeat sends nothing, not even documents")
  func repeated() async throws {
    try await FaultyRegistry.serve { registry in
      let image = "\(registry.host)/a:v1"
      try workshop.expect(["push", "-q", "oci:two", image], stdout: "\(Sample.twoDigest)\n")
      let before = registry.requests.count
      try workshop.expect(
        ["push", "--progress", "none", "oci:two", image], stdout: "\(Sample.twoDigest)\n",
        stderr: "pushed \(registry.host)/a: 5 already there\n")
      #expect(registry.requests.dropFirst(before).allSatisfy { [.GET, .HEAD].contains($0.method) })
      #expect(registry.uploadedBlobs.count == 5)
    }
  }

  @Test("children go before the index that names them, and tags come last")
  func order() async throws {
    try await FaultyRegistry.serve { registry in
      try workshop.expect(
        ["push", "-q", "oci:two", "\(registry.host)/a:v1", "\(registry.host)/a:v2"],
        stdout: "\(Sample.twoDigest)\n")
      #expect(registry.putManifests.count == 4)
      #expect(registry.putManifests.prefix(2).allSatisfy { $0.hasPrefix("sha256:") })
      #expect(registry.putManifests.suffix(2) == ["v1", "v2"])
      let lastBlob = registry.lines.lastIndex { $0.contains("/blobs/uploads/") }
      let firstDocument = registry.lines.firstIndex { $0.hasPrefix("PUT /v2/a/manifests/") }
      let (last, first) = (try #require(lastBlob), try #require(firstDocument))
      #expect(last < first)
    }
  }

  @Test("several repositories and registries get the same image")
  func several() async throws {
    try await FaultyRegistry.serve { one in
      try await FaultyRegistry.serve { two in
        let places = ["\(one.host)/a:v1", "\(one.host)/b:v1", "\(two.host)/c:v1"]
        try workshop.expect(
          ["push", "oci:one", "--progress", "none"] + places, stdout: "\(Sample.oneDigest)\n",
          stderr: """
            pushed \(one.host)/a: 2 blobs sent (489 B)
            pushed \(one.host)/b: 2 already there
            pushed \(two.host)/c: 2 blobs sent (489 B)

            """)
        for place in places { try workshop.expectValid(place) }
      }
    }
  }

  @Test("--platform sends that image alone, and --digest-file holds its digest")
  func platform() async throws {
    try await FaultyRegistry.serve { registry in
      let finished = try workshop.run([
        "push", "-q", "--platform", "linux/arm64", "--digest-file", "digest", "oci:two",
        "\(registry.host)/a:v1",
      ])
      #expect(finished.status == 0, "\(finished.stderr)")
      #expect(finished.output != "\(Sample.twoDigest)\n")
      #expect(try workshop.read("digest") == finished.output)
      #expect(registry.uploadedBlobs.count == 3)
      let inspected = try workshop.run(["inspect", "\(registry.host)/a:v1"])
      #expect(inspected.output.contains("digest       \(finished.output)"))
      try workshop.expectValid("\(registry.host)/a:v1")
    }
  }

  @Test("a reference with the image's digest is pushed by digest, one with another is not at all")
  func digest() async throws {
    try await FaultyRegistry.serve { registry in
      let image = "\(registry.host)/a"
      try workshop.expect(
        ["push", "-q", "oci:one", "\(image)@\(Sample.oneDigest)"], stdout: "\(Sample.oneDigest)\n")
      #expect(registry.putManifests == [Sample.oneDigest])
      let before = registry.requests.count
      try workshop.expect(
        ["push", "oci:one", "\(image):v1@\(Sample.twoDigest)"], status: 65,
        stderr:
          "error: \"\(image):v1@\(Sample.twoDigest)\" says another digest than the image has: \(Sample.oneDigest); nothing was sent\n"
      )
      #expect(registry.requests.count == before)
    }
  }

  @Test("what is not there or no registry is said before anything is opened")
  func refused() async throws {
    try await FaultyRegistry.serve { registry in
      let image = "\(registry.host)/a:v1"
      try workshop.expect(
        ["push", "oci:one:v9", image], status: 66,
        stderr: "error: layout \"one\" has no tag \"v9\"; it has \"latest\"\n")
      try workshop.expect(
        ["push", "oci:none", image], status: 66,
        stderr:
          "error: \"none\" is not an image layout: expected a folder with the files \"oci-layout\" and \"index.json\", found nothing of that name\n"
      )
      try workshop.expect(
        ["push", "one", image], status: 66,
        stderr: "error: \"one\" would be an image in a registry; did you mean \"oci:one\"?\n")
      try workshop.expect(
        ["push", "oci:one", "oci:other"], status: 64,
        stderr:
          "error: expected an image in a registry, HOST/PATH[:TAG], got \"oci:other\"\n")
      try workshop.expect(
        ["push", "--platform", "linux/s390x", "oci:two", image], status: 66,
        stderr:
          "error: no image for linux/s390x in \"oci:two\", which has linux/amd64, linux/arm64\n")
      try workshop.expect(
        ["push", "--create-repository", "oci:one", image], status: 64,
        stderr:
          "error: --create-repository makes repositories of Amazon ECR; \(registry.host) is none of it\n"
      )
      #expect(registry.lines == [])
      #expect(!workshop.exists("other"))
    }
  }

  @Test("a registry that refuses exits 77 and says that nobody had a credential for it")
  func denied() async throws {
    try await FaultyRegistry.serve(wrapping: demandBasic(user: "alice", password: "secret")) {
      registry in
      let finished = try workshop.run(["push", "oci:one", "\(registry.host)/a:v1"])
      #expect(finished.status == 77)
      #expect(finished.output == "")
      #expect(finished.stderr.contains("status 401; no credential was found"), "\(finished.stderr)")
      #expect(finished.stderr.contains("`ociforge login \(registry.host)`"), "\(finished.stderr)")
      #expect(registry.putManifests == [])
    }
  }

  @Test("-v tells requests and decisions")
  func verbose() async throws {
    try await FaultyRegistry.serve { registry in
      try workshop.expect(
        ["push", "-q", "oci:one", "\(registry.host)/a:v1"], stdout: "\(Sample.oneDigest)\n")
      let finished = try workshop.run([
        "push", "-v", "--progress", "none", "oci:one", "\(registry.host)/a:v1",
      ])
      let base = "http://\(registry.host)/v2/"
      #expect(
        finished.stderr.hasPrefix(
          """
          https://\(registry.host)/v2/: TLS handshake: what answers does not speak TLS; trying plain http, as it is on this machine
          GET \(base): 200

          """), "\(finished.stderr)")
      #expect(finished.stderr.contains("\nHEAD \(base)a/manifests/v1: 200\n"))
    }
  }
}
