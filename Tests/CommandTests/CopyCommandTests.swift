import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("copy") struct CopyCommandTests {
  private let workshop: Workshop

  init() throws { workshop = try Workshop() }

  /// Where an image may be.
  enum Place: String, CaseIterable, CustomTestStringConvertible {
    case registry
    case layout = "oci"
    case ociArchive = "oci-archive"
    case dockerArchive = "docker-archive"

    var testDescription: String { rawValue }

    func reference(_ name: String, _ registry: FaultyRegistry) -> String {
      switch self {
      case .registry: "\(registry.host)/\(name):v1"
      case .layout, .ociArchive: "\(rawValue):\(name):v1"
      case .dockerArchive: "\(rawValue):\(name):example.com/app:v1"
      }
    }
  }

  @Test(
    "from everywhere to everywhere the digest stays what it is", arguments: Place.allCases,
    Place.allCases)
  func everyPair(from source: Place, to destination: Place) async throws {
    try workshop.assemble(Sample.one, ["-o", "start", "-t", "v1"])
    try await FaultyRegistry.serve { registry in
      let (one, two) = (source.reference("one", registry), destination.reference("two", registry))
      for (from, to) in [("oci:start:v1", one), (one, two)] {
        let copied = try workshop.run(["copy", "-q", from, to])
        #expect(copied.status == 0 && copied.stderr == "", "\(from) to \(to): \(copied.stderr)")
        #expect(copied.output == "\(Sample.oneDigest)\n", "\(from) to \(to)")
        try workshop.expectValid(to)
      }
      let inspected = try workshop.run(["inspect", two])
      #expect(
        inspected.output.contains("digest       \(Sample.oneDigest)\n"), "\(inspected.stderr)")
    }
  }

  @Test(
    "an index goes whole, where there is room for one",
    arguments: [Place.registry, .layout, .ociArchive], [Place.registry, .layout, .ociArchive])
  func index(from source: Place, to destination: Place) async throws {
    try workshop.assemble(Sample.two, ["-o", "start", "-t", "v1"])
    try await FaultyRegistry.serve { registry in
      let (one, two) = (source.reference("one", registry), destination.reference("two", registry))
      for (from, to) in [("oci:start:v1", one), (one, two)] {
        try workshop.expect(["copy", "-q", from, to], stdout: "\(Sample.twoDigest)\n")
        try workshop.expectValid(to)
      }
    }
  }

  @Test("within a registry nothing but documents moves")
  func neighbours() async throws {
    try workshop.assemble(Sample.two, ["-o", "start"])
    try await FaultyRegistry.serve { registry in
      let (one, two) = ("\(registry.host)/team/one:v1", "\(registry.host)/other/two:v2")
      try workshop.expect(["push", "-q", "oci:start", one], stdout: "\(Sample.twoDigest)\n")
      let (sent, fetched) = (registry.uploadedBlobs, registry.fetchedBlobs)
      try workshop.expect(["copy", "-q", one, two], stdout: "\(Sample.twoDigest)\n")
      #expect(registry.uploadedBlobs == sent)
      // The configs of both platforms, which are documents, too.
      #expect(registry.fetchedBlobs.count == fetched.count + 2)
      try workshop.expectValid(two)
    }
  }

  @Test("from registry to registry every layer goes once, and a repeat moves nothing")
  func registries() async throws {
    try workshop.assemble(Sample.two, ["-o", "start"])
    try await FaultyRegistry.serve { near in
      try await FaultyRegistry.serve { far in
        try workshop.expect(
          ["push", "-q", "oci:start", "\(near.host)/a:v1"], stdout: "\(Sample.twoDigest)\n")
        for _ in 0..<2 {
          try workshop.expect(
            ["copy", "-q", "\(near.host)/a:v1", "\(far.host)/b:v1"],
            stdout: "\(Sample.twoDigest)\n")
        }
        #expect(near.fetchedBlobs.count == 5 && Set(near.fetchedBlobs).count == 5)
        #expect(far.uploadedBlobs.count == 5 && Set(far.uploadedBlobs).count == 5)
        try workshop.expectValid("\(far.host)/b:v1")
      }
    }
  }

  @Test("--platform takes one image out of an index")
  func platform() throws {
    try workshop.assemble(Sample.two, ["-o", "start"])
    let copied = try workshop.run([
      "copy", "--platform", "linux/arm64", "oci:start", "oci-archive:one.tar",
    ])
    #expect(copied.status == 0 && copied.stderr == "", "\(copied.stderr)")
    let inspected = try workshop.run(["inspect", "oci-archive:one.tar"])
    #expect(inspected.output.contains("platform     linux/arm64\n"))
    #expect(inspected.output.contains("digest       \(copied.output)"))
    try workshop.expectValid("oci-archive:one.tar")
  }

  @Test("a destination that says another digest, or cannot be written, is refused")
  func refused() throws {
    try workshop.assemble(Sample.one, ["-o", "start"])
    try workshop.expect(
      ["copy", "oci:start", "oci:other@\(Sample.twoDigest)"], status: 65,
      stderr:
        "error: \"oci:other@\(Sample.twoDigest)\" says another digest than the image has: \(Sample.oneDigest); nothing was sent\n"
    )
    #expect(!workshop.exists("other"))
    try workshop.expect(
      ["copy", "oci:start", "docker-archive:start"], status: 73,
      stderr: "error: writing \"start\": Is a directory\n")
  }
}
