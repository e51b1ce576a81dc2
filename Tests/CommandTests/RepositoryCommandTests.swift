import TestSupport
import Testing

/// `tags`, `referrers` and `delete`, at Debian's registry.
@Suite(.serialized, .enabled(if: registryPeers("skopeo", "gcc")))
struct RepositoryCommandTests {
  private let room: Room

  init() throws {
    room = try Room()
    try Printer.make(in: room)
  }

  private func run(
    _ registry: DockerRegistry, _ arguments: String...
  ) throws -> Finished {
    try room.forge(arguments, environment: room.environment(for: registry))
  }

  @Test("tags are listed and taken away, with an image, as far as the registry does that")
  func tags() async throws {
    let digest = try room.assemble("base", "-o", "layout")
    try await DockerRegistry.run(.password) { registry in
      let image = registry.reference("team/base")
      for tag in ["v1", "v2"] {
        try room.forge(at: registry, "push", "oci:layout", "\(image):\(tag)")
      }
      #expect(try run(registry, "tags", image).output == "v1\nv2\n")
      #expect(try run(registry, "tags", image, "--json").output == "[\n  \"v1\",\n  \"v2\"\n]\n")

      let referrers = try run(registry, "referrers", "\(image):v1", "--json")
      #expect(referrers.status == 0, "\(referrers.stderr)")
      #expect(referrers.output == "[]\n")

      // Deletes no tags, and says 405.
      let tag = try run(registry, "delete", "\(image):v1")
      #expect(tag.status == 76)
      #expect(tag.stderr.contains("this registry does not delete tags"), "\(tag.stderr)")

      let whole = try run(registry, "delete", "\(image)@\(digest)")
      #expect(whole.status == 0, "\(whole.stderr)")
      #expect(whole.output == "")
      #expect(whole.stderr.contains("deleted \(image)@\(digest)"))
      #expect(try run(registry, "delete", "\(image)@\(digest)").status == 66)
      #expect(registry.digest(of: "v1", in: "team/base") == nil)
    }
  }

  @Test(
    "what is not said clearly is not deleted",
    arguments: [
      (["delete", "localhost:1/a"], "a tag or a digest to delete, such as"),
      (["delete", "docker://localhost:1/a"], "a tag or a digest to delete, such as"),
      (
        ["delete", "localhost:1/a:t@sha256:" + String(repeating: "a", count: 64)],
        "got both in"
      ),
      (["tags", "localhost:1/a:t"], "expected a repository"),
      (["referrers", "oci:layout"], "registry"),
    ])
  func unclear(arguments: [String], text: String) throws {
    let finished = try room.forge(arguments, environment: [:])
    #expect(finished.status == 64)
    #expect(finished.stderr.contains(text), "\(finished.stderr)")
  }
}
