import Foundation
import NIOHTTP1
import TestSupport
import Testing

@Suite("delete") struct DeleteCommandTests {
  private let workshop: Workshop

  init() throws {
    workshop = try Workshop()
    try workshop.assemble(Sample.one, ["-o", "one"])
  }

  private func push(_ references: String...) throws {
    try workshop.expect(
      ["push", "-q", "oci:one"] + references, stdout: "\(Sample.oneDigest)\n")
  }

  @Test("a tag goes alone; nothing is on stdout")
  func tag() async throws {
    try await FaultyRegistry.serve { registry in
      let place = "\(registry.host)/a"
      try push("\(place):v1", "\(place):v2")
      try workshop.expect(["delete", "\(place):v1"], stderr: "deleted \(place):v1\n")
      try workshop.expect(["tags", place], stdout: "v2\n")
      try workshop.expectValid("\(place)@\(Sample.oneDigest)")
      try workshop.expect(["delete", "-q", "\(place):v2"])
    }
  }

  @Test("a digest takes its tags along")
  func digest() async throws {
    try await FaultyRegistry.serve { registry in
      let place = "\(registry.host)/a"
      try push("\(place):v1", "\(place):v2")
      let image = "\(place)@\(Sample.oneDigest)"
      try workshop.expect(["delete", image], stderr: "deleted \(image)\n")
      #expect(try workshop.run(["inspect", "\(place):v1"]).status == 66)
      #expect(try workshop.run(["delete", image]).status == 66)
    }
  }

  @Test("what is not there exits 66")
  func missing() async throws {
    try await FaultyRegistry.serve { registry in
      let place = "\(registry.host)/a"
      try push("\(place):v1")
      try workshop.expect(
        ["delete", "\(place):v9"], status: 66,
        stderr:
          "error: deleting \(place):v9: DELETE http://\(registry.host)/v2/a/manifests/v9: status 404: MANIFEST_UNKNOWN: no manifest \"a:v9\"\n"
      )
    }
  }

  @Test("a registry that refuses is told of, and the image stays")
  func refused() async throws {
    try await FaultyRegistry.serve(fault: { request in
      request.method == .DELETE ? .error(403, "DENIED", message: "not you") : nil
    }) { registry in
      let image = "\(registry.host)/a:v1"
      try push(image)
      let finished = try workshop.run(["delete", image])
      #expect(finished.status == 77)
      #expect(finished.output == "")
      #expect(finished.stderr.contains("status 403: DENIED: not you"), "\(finished.stderr)")
      try workshop.expectValid(image)
    }
  }

  @Test("without a tag or a digest, with both, or with blanks nothing is asked")
  func usage() async throws {
    try await FaultyRegistry.serve { registry in
      let place = "\(registry.host)/a"
      try workshop.expect(
        ["delete", place], status: 64,
        stderr:
          "error: expected a tag or a digest to delete, such as \"\(place):TAG\", got \"\(place)\"\n"
      )
      try workshop.expect(
        ["delete", "\(place):v1@\(Sample.oneDigest)"], status: 64,
        stderr:
          "error: expected a tag or a digest to delete, got both in \"\(place):v1@\(Sample.oneDigest)\": a tag goes alone, a digest takes all of its tags along\n"
      )
      #expect(registry.lines == [])
    }
  }
}
