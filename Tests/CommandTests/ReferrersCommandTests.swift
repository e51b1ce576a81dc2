import Foundation
import NIOHTTP1
import SystemPackage
import TestSupport
import Testing

@Suite("referrers") struct ReferrersCommandTests {
  private let workshop: Workshop
  private static let signature = "sha256:" + String(repeating: "a", count: 64)
  private static let report = "sha256:" + String(repeating: "b", count: 64)

  init() throws {
    workshop = try Workshop()
    try workshop.assemble(Sample.one, ["-o", "far", "-t", "v1"])
  }

  private static func entry(_ digest: String, _ type: String) -> String {
    #"{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"\#(digest)","size":7,"artifactType":"\#(type)"}"#
  }

  /// A registry that has two referrers of everything, and filters nothing.
  private func serving(_ body: (FaultyRegistry) throws -> Void) async throws {
    let list = [
      Self.entry(Self.signature, "application/sig"), Self.entry(Self.report, "application/sbom"),
    ]
    let index =
      #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[\#(list.joined(separator: ","))]}"#
    try await FaultyRegistry.serve(
      layout: workshop.path.appending("far"),
      fault: { request in
        request.path.contains("/referrers/")
          ? .status(
            200, headers: ["Content-Type": "application/vnd.oci.image.index.v1+json"], body: index)
          : nil
      }, { try body($0) })
  }

  @Test("digest, type and size, one referrer a line; a tag is resolved first")
  func listed() async throws {
    try await serving { registry in
      let lines = "\(Self.signature) application/sig 7\n\(Self.report) application/sbom 7\n"
      try workshop.expect(["referrers", "\(registry.host)/a:v1"], stdout: lines)
      #expect(registry.lines.contains("GET /v2/a/referrers/\(Sample.oneDigest)"))
      let before = registry.requests.count
      try workshop.expect(["referrers", "\(registry.host)/a@\(Sample.oneDigest)"], stdout: lines)
      #expect(
        registry.lines.dropFirst(before) == [
          "GET /v2/", "GET /v2/a/referrers/\(Sample.oneDigest)",
        ])
    }
  }

  @Test("--artifact-type chooses, also where the registry does not")
  func chosen() async throws {
    try await serving { registry in
      try workshop.expect(
        ["referrers", "--artifact-type", "application/sbom", "\(registry.host)/a:v1"],
        stdout: "\(Self.report) application/sbom 7\n")
      #expect(registry.requests.contains { $0.target.contains("artifactType=application") })
    }
  }

  @Test("--json prints the descriptors")
  func json() async throws {
    try await serving { registry in
      let finished = try workshop.run([
        "referrers", "--json", "--artifact-type", "application/sig", "\(registry.host)/a:v1",
      ])
      #expect(finished.status == 0 && finished.stderr == "", "\(finished.stderr)")
      let list = try JSONSerialization.jsonObject(with: Data(finished.stdout)) as? [[String: Any]]
      #expect(list?.count == 1)
      #expect(list?.first?["digest"] as? String == Self.signature)
      #expect(list?.first?["artifactType"] as? String == "application/sig")
    }
  }

  @Test("an image without any has none; one that is not there exits 66")
  func none() async throws {
    try await FaultyRegistry.serve(layout: workshop.path.appending("far")) { registry in
      try workshop.expect(["referrers", "\(registry.host)/a:v1"])
      try workshop.expect(["referrers", "--json", "\(registry.host)/a:v1"], stdout: "[]\n")
      #expect(try workshop.run(["referrers", "\(registry.host)/a:v9"]).status == 66)
    }
    try workshop.expect(
      ["referrers", "oci:far:v1"], status: 64,
      stderr: "error: expected an image in a registry, HOST/PATH[:TAG], got \"oci:far:v1\"\n")
  }
}
