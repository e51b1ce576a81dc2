import NIOHTTP1
import OCISpec
import Remote
import Reporting
import Testing

@Suite struct RegistryReferrersTests {
  private static let subject = "sha256:" + String(repeating: "a", count: 64)

  private static func entry(_ letter: Character, _ type: String) -> String {
    let digest = "sha256:" + String(repeating: letter, count: 64)
    return """
      {"mediaType":"\(MediaType.imageManifest)","digest":"\(digest)","size":7,"artifactType":"\(type)"}
      """
  }

  private static func index(
    _ entries: String..., headers: [(String, String)] = []
  ) -> ScriptedServer.Answer {
    let text = """
      {"schemaVersion":2,"mediaType":"\(MediaType.imageIndex)","manifests":[\(entries.joined(separator: ","))]}
      """
    let type = [("Content-Type", MediaType.imageIndex.rawValue)]
    return .init(headers: type + headers, body: Array(text.utf8))
  }

  private func referrers(
    _ artifactType: String? = nil, bench: RegistryBench? = nil,
    _ script: @escaping @Sendable (ScriptedServer.Request) -> ScriptedServer.Answer
  ) async throws -> (found: [Character?], lines: [String]) {
    let bench = try bench ?? RegistryBench()
    return try await ScriptedServer.run({ $0.uri == "/v2/" ? .ok : script($0) }) { server in
      let digest = try Digest(parsing: Self.subject)
      let found = try await bench.with(server) {
        try await $0.referrers(of: digest, artifactType: artifactType)
      }
      return (found.map(\.digest.hex.first), server.real.map { "\($0.method) \($0.uri)" })
    }
  }

  @Test(
    "U27: without a list the fallback tag says it",
    arguments: [404, 400, 405, 406, 501, 200])
  func fallback(status: Int) async throws {
    let (found, lines) = try await referrers { request in
      request.uri.contains("/referrers/")
        ? .status(status, [("Content-Type", "text/html")], body: "<html>")
        : Self.index(Self.entry("b", "x"))
    }
    #expect(found == ["b"])
    let tag = Self.subject.replacing(":", with: "-")
    #expect(
      lines == [
        "GET /v2/team/app/referrers/\(Self.subject)", "GET /v2/team/app/manifests/\(tag)",
      ])
  }

  @Test("U27: neither a list nor a fallback tag is nothing")
  func nothing() async throws {
    #expect(try await referrers { _ in .status(404) }.found == [])
  }

  @Test("U27: pages follow their links")
  func pages() async throws {
    let (found, _) = try await referrers { request in
      request.uri.hasSuffix("page=2")
        ? Self.index(Self.entry("c", "x"))
        : Self.index(Self.entry("b", "x"), headers: [("Link", "<?page=2>; rel=\"next\"")])
    }
    #expect(found == ["b", "c"])
  }

  @Test("U27: a list that was not filtered is filtered here, one that was is not")
  func filters() async throws {
    for headers in [[], [("OCI-Filters-Applied", "artifactType")]] {
      let (found, lines) = try await referrers("x/y+z") { _ in
        Self.index(Self.entry("b", "x/y+z"), Self.entry("c", "other"), headers: headers)
      }
      #expect(found == (headers.isEmpty ? ["b"] : ["b", "c"]))
      #expect(lines == ["GET /v2/team/app/referrers/\(Self.subject)?artifactType=x%2Fy%2Bz"])
    }
  }

  @Test("entries that cannot be read are left out, and that is said")
  func unreadable() async throws {
    let bench = try RegistryBench()
    let (found, _) = try await referrers(bench: bench) { _ in
      Self.index(Self.entry("b", "x"), #"{"digest":"blake3:00","mediaType":"x","size":1}"#)
    }
    #expect(found == ["b"])
    #expect(bench.warnings.count == 1)
  }

  @Test("U27: a refusal is no empty list", arguments: [401, 403])
  func denied(status: Int) async throws {
    await #expect(throws: RegistryFailure.self) { try await referrers { _ in .status(status) } }
  }

  @Test("a manifest that is deleted leaves the fallback tag too")
  func deletion() async throws {
    let registry = FakeRegistry(), bench = try RegistryBench()
    let image = try SampleManifest()
    let note = try SampleManifest(
      """
      {"schemaVersion":2,"mediaType":"\(MediaType.imageManifest)",\
      "config":{"mediaType":"\(MediaType.empty)","digest":"\(image.digest)","size":2},"layers":[],\
      "subject":{"mediaType":"\(MediaType.imageManifest)","digest":"\(image.digest)","size":2}}
      """)
    try await registry.run { server in
      try await bench.with(server) { client in
        try await client.putManifest(note.bytes, note.descriptor, tag: nil)
        #expect(try await client.referrers(of: image.digest).map(\.digest) == [note.digest])
        try await client.deleteManifest(note.digest)
        #expect(try await client.referrers(of: image.digest).isEmpty)
      }
    }
  }
}
