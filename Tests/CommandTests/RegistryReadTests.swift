import Foundation
import SystemPackage
import TestSupport
import Testing

/// `inspect`, `ls`, `cat`, `export` and `validate`, of images in a registry.
@Suite("images in a registry") struct RegistryReadTests {
  private let workshop: Workshop

  init() throws {
    workshop = try Workshop()
    try workshop.assemble(Sample.two, ["-o", "far", "-t", "v1"])
  }

  private func serving(_ body: (FaultyRegistry) throws -> Void) async throws {
    try await FaultyRegistry.serve(layout: workshop.path.appending("far"), { try body($0) })
  }

  @Test(
    "the answer is that of the layout that the registry serves",
    arguments: [
      ["inspect", "REF", "--platform", "linux/arm64"], ["inspect", "REF", "--raw"],
      ["inspect", "REF", "--raw", "--config", "--platform", "linux/amd64"],
      ["ls", "REF", "--platform", "linux/amd64"],
      ["ls", "REF", "/bin", "--platform", "linux/arm64"],
      ["cat", "REF", "/etc/arch", "--platform", "linux/arm64"],
      ["cat", "REF", "/bin/sh", "--platform", "linux/arm64"],
      ["export", "REF", "--platform", "linux/amd64"], ["validate", "REF"],
      ["validate", "REF", "--json"],
    ])
  func same(_ command: [String]) async throws {
    try await serving { registry in
      let remote = "\(registry.host)/team/app:v1"
      func run(_ reference: String) throws -> Finished {
        try workshop.run(command.map { $0 == "REF" ? reference : $0 } + ["--progress", "none"])
      }
      let (here, there) = (try run("oci:far:v1"), try run(remote))
      #expect(there.status == 0 && there.stderr == "", "\(there.stderr)")
      #expect(there.output.replacing(remote, with: "oci:far:v1") == here.output)
      #expect(!there.stdout.isEmpty)
    }
  }

  @Test("inspect brings documents only; layers come for those who look inside, once")
  func frugal() async throws {
    try await serving { registry in
      let image = "\(registry.host)/a:v1"
      for _ in 0..<2 { #expect(try workshop.run(["inspect", image]).status == 0) }
      #expect(registry.fetchedBlobs.count == 2)
      for _ in 0..<2 {
        try workshop.expect(
          ["cat", "-q", image, "/etc/arch", "--platform", "linux/arm64"], stdout: "arm64\n")
      }
      #expect(Set(registry.fetchedBlobs).count == registry.fetchedBlobs.count)
      #expect(registry.fetchedBlobs.count <= 4)
    }
  }

  @Test("what is not there exits 66", arguments: ["inspect", "ls", "export", "validate"])
  func missing(_ verb: String) async throws {
    try await serving { registry in
      let place = "\(registry.host)/a"
      try workshop.expect(
        [verb, "\(place):v9"], status: 66,
        stderr:
          "error: pulling \(place):v9: GET http://\(registry.host)/v2/a/manifests/v9: status 404: MANIFEST_UNKNOWN: no manifest \"a:v9\"; \(place) has v1; did you mean \"v1\"?\n"
      )
    }
  }
}
