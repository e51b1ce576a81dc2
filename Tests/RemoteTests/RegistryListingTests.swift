import NIOHTTP1
import OCISpec
import Remote
import Reporting
import Synchronization
import Testing

@Suite struct RegistryListingTests {
  private func tags(
    bench: RegistryBench? = nil,
    _ script: @escaping @Sendable (ScriptedServer.Request) -> ScriptedServer.Answer
  ) async throws -> [String] {
    let bench = try bench ?? RegistryBench()
    return try await ScriptedServer.run({ $0.uri == "/v2/" ? .ok : script($0) }) { server in
      try await bench.with(server) { try await $0.tags() }
    }
  }

  private static func page(_ tags: String, next: String? = nil) -> ScriptedServer.Answer {
    var answer = ScriptedServer.Answer.json("{\"name\":\"team/app\",\"tags\":\(tags)}")
    if let next { answer.headers.append(("Link", "<\(next)>; rel=next")) }
    return answer
  }

  @Test("pages follow their links, and a short page ends nothing")
  func pages() async throws {
    let found = try await tags { request in
      switch request.uri {
      case "/v2/team/app/tags/list?n=1000":
        Self.page(#"["a"]"#, next: "/v2/team/app/tags/list?n=1&last=a%2Bb")
      case "/v2/team/app/tags/list?n=1&last=a%2Bb": Self.page(#"["b","c"]"#)
      default: .status(500)
      }
    }
    #expect(found == ["a", "b", "c"])
  }

  @Test("L1: no tags are an empty list", arguments: ["null", "[]"])
  func none(text: String) async throws {
    #expect(try await tags { _ in Self.page(text) } == [])
  }

  @Test("L2: a list that leads back to itself ends, with a warning")
  func loop() async throws {
    let bench = try RegistryBench()
    let found = try await tags(bench: bench) { request in
      Self.page("[\"t\(request.number)\"]", next: request.uri)
    }
    #expect(found.count == 1)
    #expect(bench.warnings.count == 1)
  }

  @Test(
    "L3: a list that goes on at another host is refused",
    arguments: ["https://other.example/v2/", "//other.example/x", "file:///etc/passwd"])
  func otherHost(next: String) async throws {
    await #expect(throws: RegistryFailure.self) {
      try await tags { _ in Self.page("[]", next: next) }
    }
  }

  @Test("L4: a list without end is given up after 1,000 pages")
  func endless() async throws {
    let bench = try RegistryBench()
    try await ScriptedServer.run({ request in
      request.uri == "/v2/" ? .ok : Self.page("[]", next: "?last=\(request.number)")
    }) { server in
      let found = await bench.failure { try await bench.with(server) { try await $0.tags() } }
      #expect(found?.kind == .protocolBroken)
      #expect(server.real.count == 1_000)
    }
  }

  @Test("L5: what is no tag is left out and never printed")
  func strange() async throws {
    let bench = try RegistryBench()
    let found = try await tags(bench: bench) { _ in
      Self.page(#"["good","\u001b[2J","a/b","-x",5]"#)
    }
    #expect(found == ["good"])
    #expect(bench.warnings.count == 1)
    #expect(bench.warnings[0].hasSuffix("the registry lists 4 tags that are none; left out"))
  }

  @Test("L6: a registry that does not like our page size has its own")
  func pageSize() async throws {
    let found = try await tags { request in
      request.uri.contains("?n=")
        ? .status(400, body: error("PAGINATION_NUMBER_INVALID")) : Self.page(#"["a"]"#)
    }
    #expect(found == ["a"])
  }

  @Test("who asks for a tag that is not there hears of those that are")
  func advice() async throws {
    let registry = FakeRegistry(), bench = try RegistryBench()
    for tag in ["1.0", "1.1", "latest"] {
      registry.state.withLock { $0.manifests[tag] = ([], "") }
    }
    try await registry.run { server in
      try await bench.with(server) { client in
        let reference = Reference(repository: client.repository, tag: "lastest")
        let found = await bench.failure { try await client.manifest(of: reference) }
        #expect(
          found?.advice?.hasSuffix("has 1.0, 1.1, latest; did you mean \"latest\"?") == true)
      }
    }
  }

  // MARK: Deleting

  @Test("a tag goes by its name, never by its digest")
  func deletesTag() async throws {
    let registry = FakeRegistry(), bench = try RegistryBench()
    registry.state.withLock { $0.manifests["v1"] = ([], "") }
    try await registry.run { server in
      try await bench.with(server) { try await $0.deleteTag("v1") }
      #expect(server.lines.last == "DELETE /v2/team/app/manifests/v1")
    }
    #expect(!registry.has("v1"))
  }

  @Test(
    "L7: what a registry says to a deletion",
    arguments: [
      (405, FailureKind.protocolBroken, "does not delete tags"),
      (400, .protocolBroken, "does not delete tags"), (404, .notFound, "status 404"),
      (401, .denied, "status 401"),
    ] as [(Int, FailureKind, String)])
  func refusesDeletion(status: Int, kind: FailureKind, text: String) async throws {
    let registry = FakeRegistry { kind, _, _ in kind == .deleteManifest ? .status(status) : nil }
    let bench = try RegistryBench()
    try await registry.run { server in
      let found = await bench.failure {
        try await bench.with(server) { try await $0.deleteTag("v1") }
      }
      #expect(found?.kind == kind)
      #expect(found?.description.contains(text) == true)
    }
    #expect(registry.log == [.deleteManifest])
  }

  @Test("L7: gone at the second attempt is gone")
  func lostDeletion() async throws {
    let registry = FakeRegistry { kind, number, _ in
      kind == .deleteManifest && number == 0 ? .resetAfterwards : nil
    }
    registry.state.withLock { $0.manifests["v1"] = ([], "") }
    let bench = try RegistryBench()
    try await registry.run { server in
      try await bench.with(server) { try await $0.deleteTag("v1") }
    }
    #expect(registry.count(.deleteManifest) == 2)
  }
}
