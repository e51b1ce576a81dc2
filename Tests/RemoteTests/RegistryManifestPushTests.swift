import Bindings
import NIOHTTP1
import OCISpec
import Remote
import Reporting
import Synchronization
import Testing

@Suite struct RegistryManifestPushTests {
  typealias Fault = FakeRegistry.Fault

  private func put(
    _ manifest: SampleManifest, tag: String?, to registry: FakeRegistry,
    bench: RegistryBench? = nil
  ) async throws {
    let bench = try bench ?? RegistryBench()
    try await registry.run { server in
      try await bench.with(server) {
        try await $0.putManifest(manifest.bytes, manifest.descriptor, tag: tag)
      }
    }
  }

  private func failure(
    _ manifest: SampleManifest, tag: String? = "v1", to registry: FakeRegistry
  ) async throws -> RegistryFailure? {
    do {
      try await put(manifest, tag: tag, to: registry)
      return nil
    } catch let failure as RegistryFailure { return failure }
  }

  /// One that refers to another manifest.
  private func attached(to subject: SampleManifest, _ note: String = "x") throws -> SampleManifest {
    let config = try Digest.sha256(of: Array("{}".utf8))
    return try SampleManifest(
      """
      {"schemaVersion":2,"mediaType":"\(MediaType.imageManifest)","artifactType":"example/sbom",\
      "config":{"mediaType":"\(MediaType.empty)","digest":"\(config)","size":2},"layers":[],\
      "subject":{"mediaType":"\(MediaType.imageManifest)","digest":"\(subject.digest)",\
      "size":\(subject.bytes.count)},"annotations":{"note":"\(note)"}}
      """)
  }

  private func fallback(_ subject: Digest) -> String { "sha256-\(subject.hex)" }

  private func add(
    _ manifest: SampleManifest, as reference: String, to registry: FakeRegistry,
    type: MediaType = .imageManifest
  ) {
    registry.state.withLock { $0.manifests[reference] = (manifest.bytes, type.rawValue) }
  }

  // MARK: Tags

  @Test("a manifest goes with its exact bytes and type, and the tag is looked at before and after")
  func tagged() async throws {
    let registry = FakeRegistry(), manifest = try SampleManifest(), bench = try RegistryBench()
    try await registry.run { server in
      try await bench.with(server) {
        try await $0.putManifest(manifest.bytes, manifest.descriptor, tag: "v1")
      }
      let put = try #require(server.requests.first { $0.method == "PUT" })
      #expect(put.uri == "/v2/team/app/manifests/v1")
      #expect(put["Content-Type"] == MediaType.imageManifest.rawValue)
      #expect(put.body == manifest.bytes)
    }
    #expect(registry.log.first == .lookManifest)
    #expect(registry.log.last == .lookManifest)
    #expect(registry.count(.putManifest) == 1)
  }

  @Test("without a tag it goes by its digest")
  func byDigest() async throws {
    let registry = FakeRegistry(), manifest = try SampleManifest()
    try await put(manifest, tag: nil, to: registry)
    #expect(registry.log == [.lookManifest, .putManifest])
    #expect(registry.has("\(manifest.digest)"))
  }

  @Test("U18: a tag that leads there already is not put again")
  func identical() async throws {
    let registry = FakeRegistry { kind, _, _ in
      kind == .putManifest ? .status(400, body: error("TAG_INVALID")) : nil
    }
    let manifest = try SampleManifest()
    add(manifest, as: "v1", to: registry)
    try await put(manifest, tag: "v1", to: registry)
    #expect(registry.log == [.lookManifest])
  }

  @Test("U18: a tag that cannot be moved is said so", arguments: [400, 409])
  func immutable(status: Int) async throws {
    let registry = FakeRegistry { kind, _, _ in
      kind == .putManifest ? .status(status, body: error("TAG_INVALID")) : nil
    }
    add(try SampleManifest("{}"), as: "v1", to: registry)
    let found = try #require(try await failure(try SampleManifest(), to: registry))
    #expect(found.description.contains("cannot be moved in this repository; take another one"))
    #expect(registry.count(.putManifest) == 1)
  }

  @Test("U20: a tag that somebody else moved at the same time is warned of")
  func concurrent() async throws {
    let other = try SampleManifest(#"{"schemaVersion":2,"layers":[]}"#)
    let registry = FakeRegistry { kind, number, _ in
      kind == .lookManifest && number == 1
        ? .instead(
          .init(
            headers: [
              ("Content-Type", MediaType.imageManifest.rawValue),
              ("Docker-Content-Digest", "\(other.digest)"),
            ], length: other.bytes.count))
        : nil
    }
    let bench = try RegistryBench()
    try await put(try SampleManifest(), tag: "v1", to: registry, bench: bench)
    #expect(bench.warnings.count == 1)
    #expect(bench.warnings[0].contains("somebody else"))
  }

  @Test("U29: every tag has a PUT of its own")
  func severalTags() async throws {
    let registry = FakeRegistry(), manifest = try SampleManifest(), bench = try RegistryBench()
    try await registry.run { server in
      try await bench.with(server) { client in
        for tag in ["v1", "v1.0"] {
          try await client.putManifest(manifest.bytes, manifest.descriptor, tag: tag)
        }
      }
      let puts = server.lines.filter { $0.hasPrefix("PUT") }
      #expect(puts == ["PUT /v2/team/app/manifests/v1", "PUT /v2/team/app/manifests/v1.0"])
    }
  }

  // MARK: Answers

  @Test("S6, U7: 200 and 202 are believed once the manifest is there", arguments: [200, 202])
  func otherSuccess(status: Int) async throws {
    let taken = FakeRegistry { kind, _, _ in
      kind == .putManifest ? .afterwards(.status(status)) : nil
    }
    try await put(try SampleManifest(), tag: nil, to: taken)
    #expect(taken.log == [.lookManifest, .putManifest, .lookManifest])
    // S6: a portal says 200 to everything.
    let portal = FakeRegistry { kind, _, _ in
      kind == .putManifest ? .status(status, body: "<html>") : nil
    }
    let found = try #require(try await failure(try SampleManifest(), tag: nil, to: portal))
    #expect(found.kind == .protocolBroken)
  }

  @Test("U6: a registry that changes the bytes has not taken the manifest")
  func otherDigest() async throws {
    let other = try Digest.sha256(of: [1])
    let registry = FakeRegistry { kind, _, _ in
      kind == .putManifest ? .status(201, [("Docker-Content-Digest", "\(other)")]) : nil
    }
    let manifest = try SampleManifest()
    let found = try #require(try await failure(manifest, to: registry))
    #expect(found.problem == .digestMismatch(expected: manifest.digest, found: other))
  }

  @Test("T9: an answer that got lost is made up for by looking, not by another PUT")
  func lostAnswer() async throws {
    let registry = FakeRegistry { kind, _, _ in
      kind == .putManifest ? .resetAfterwards : nil
    }
    try await put(try SampleManifest(), tag: nil, to: registry)
    #expect(registry.log == [.lookManifest, .putManifest, .lookManifest])
  }

  @Test("S1: a server's trouble that passes is waited out", arguments: [429, 500, 502, 503])
  func trouble(status: Int) async throws {
    let registry = FakeRegistry { kind, number, _ in
      kind == .putManifest && number < 2 ? .status(status) : nil
    }
    try await put(try SampleManifest(), tag: nil, to: registry)
    #expect(registry.count(.putManifest) == 3)
  }

  @Test("U17: a refusal is final and says what may be the reason", arguments: [400, 405])
  func refused(status: Int) async throws {
    let registry = FakeRegistry { kind, _, _ in
      kind == .putManifest
        ? .status(status, body: error(status == 400 ? "MANIFEST_INVALID" : "UNSUPPORTED")) : nil
    }
    let found = try #require(try await failure(try SampleManifest(), tag: nil, to: registry))
    #expect(found.description.contains("mediaType"))
    #expect(registry.count(.putManifest) == 1)
  }

  @Test("P4: more than 4 MiB is not even sent")
  func tooLarge() async throws {
    let registry = FakeRegistry()
    let manifest = try SampleManifest(String(repeating: " ", count: (4 << 20) + 1))
    let found = try #require(try await failure(manifest, to: registry))
    #expect(found.problem == .tooLarge(limit: 4 << 20))
    #expect(registry.log.isEmpty)
  }

  // MARK: Children

  private func config() throws -> Digest { try Digest.sha256(of: Array("{}".utf8)) }

  @Test("U14: blobs that the registry lost after all are named, for who has them")
  func missingBlobs() async throws {
    let registry = FakeRegistry { kind, _, _ in
      kind == .putManifest ? .status(404, body: error("MANIFEST_BLOB_UNKNOWN")) : nil
    }
    let bench = try RegistryBench()
    do {
      try await put(try SampleManifest(), tag: "v1", to: registry, bench: bench)
      Issue.record("a manifest without its blobs is no success")
    } catch let missing as MissingBlobs {
      #expect(missing.digests == [try config()])
      #expect(missing.kind == .notFound)
    }
    #expect(registry.count(.look) == 3)
    #expect(registry.count(.putManifest) == 1)
  }

  @Test("U14: a registry that says that it has a blob and does not is told again")
  func lyingHead() async throws {
    let digest = try config()
    let registry = FakeRegistry { kind, _, _ in
      kind == .putManifest
        ? .status(404, body: error("MANIFEST_BLOB_UNKNOWN", detail: "{\"digest\":\"\(digest)\"}"))
        : nil
    }
    registry.state.withLock { $0.blobs["\(digest)"] = Array("{}".utf8) }
    do {
      try await put(try SampleManifest(), tag: nil, to: registry)
      Issue.record("a manifest without its blobs is no success")
    } catch let missing as MissingBlobs { #expect(missing.digests == [digest]) }
    #expect(registry.count(.putManifest) == 2)
  }

  @Test("U15: a blob that shows late costs a second PUT and no more")
  func lateBlob() async throws {
    let registry = FakeRegistry { kind, number, _ in
      if kind == .look && number == 0 { return .status(404) }
      return kind == .putManifest && number == 0
        ? .status(404, body: error("MANIFEST_BLOB_UNKNOWN")) : nil
    }
    let digest = try config()
    registry.state.withLock { $0.blobs["\(digest)"] = Array("{}".utf8) }
    try await put(try SampleManifest(), tag: nil, to: registry)
    #expect(registry.log == [.lookManifest, .putManifest, .look, .look, .putManifest])
  }

  // MARK: Subjects

  @Test("a registry that lists referrers is left to it")
  func subject() async throws {
    let registry = FakeRegistry(), image = try SampleManifest()
    registry.state.withLock { $0.hasReferrers = true }
    try await put(try attached(to: image), tag: nil, to: registry)
    #expect(registry.log == [.lookManifest, .putManifest])
  }

  @Test("U25: without a word of the subject, or with a wrong one, the fallback tag lists it")
  func fallbackTag() async throws {
    let image = try SampleManifest(), note = try attached(to: image)
    let silent = FakeRegistry()
    let wrong = FakeRegistry { kind, number, _ in
      kind == .putManifest && number == 0
        ? .afterwards(.status(201, [("OCI-Subject", "\(note.digest)")])) : nil
    }
    for registry in [silent, wrong] {
      try await put(note, tag: nil, to: registry)
      let tag = fallback(image.digest)
      let stored = try #require(registry.state.withLock { $0.manifests[tag] })
      #expect(stored.type == MediaType.imageIndex.rawValue)
      let index = try ImageIndex(json: JSON(parsing: stored.bytes))
      #expect(
        index.manifests == [
          Descriptor(
            mediaType: .imageManifest, digest: note.digest, size: Int64(note.bytes.count),
            annotations: ["note": "x"], artifactType: "example/sbom")
        ])
      // Once more changes nothing.
      try await put(note, tag: nil, to: registry)
      #expect(registry.state.withLock { $0.manifests[tag]?.bytes } == stored.bytes)
    }
  }

  @Test("U26: ten at once are all listed")
  func manyReferrers() async throws {
    let registry = FakeRegistry(), image = try SampleManifest(), bench = try RegistryBench()
    try await registry.run { server in
      try await bench.with(server) { client in
        try await withThrowingTaskGroup(of: Void.self) { group in
          for number in 0..<10 {
            let note = try attached(to: image, "\(number)")
            group.addTask {
              try await client.putManifest(note.bytes, note.descriptor, tag: nil)
            }
          }
          try await group.waitForAll()
        }
        #expect(try await client.referrers(of: image.digest).count == 10)
      }
    }
  }

  @Test(
    "U26: what stands at the fallback tag and is no index is left alone, and said",
    arguments: [
      #"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json"}"#,
      "{", #"{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":5}"#,
      #"{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#
        + String(repeating: " ", count: 4 << 20),
    ])
  func strangeFallback(text: String) async throws {
    let registry = FakeRegistry(), image = try SampleManifest(), bench = try RegistryBench()
    let tag = fallback(image.digest), strange = try SampleManifest(text)
    add(strange, as: tag, to: registry, type: .imageIndex)
    try await put(try attached(to: image), tag: nil, to: registry, bench: bench)
    #expect(registry.state.withLock { $0.manifests[tag]?.bytes } == strange.bytes)
    #expect(bench.warnings.count == 1)
    #expect(bench.warnings.first?.contains("left as it is") == true)
  }

  @Test("U26: an index that another client changes meanwhile is changed again, five times at most")
  func racing() async throws {
    let image = try SampleManifest(), note = try attached(to: image)
    // The other client's index is there after each of ours.
    let registry = FakeRegistry { kind, number, request in
      guard kind == .putManifest, request.uri.contains("sha256-") else { return nil }
      return number < 4 ? .status(412) : nil
    }
    let empty = try SampleManifest(
      #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#)
    add(empty, as: fallback(image.digest), to: registry, type: .imageIndex)
    let bench = try RegistryBench()
    try await registry.run { server in
      try await bench.with(server) {
        try await $0.putManifest(note.bytes, note.descriptor, tag: nil)
        #expect(try await $0.referrers(of: image.digest).map(\.digest) == [note.digest])
      }
    }
    let hopeless = FakeRegistry { kind, _, request in
      kind == .putManifest && request.uri.contains("sha256-") ? .status(412) : nil
    }
    let found = try #require(try await failure(note, tag: nil, to: hopeless))
    #expect(found.attempts == 5)
  }
}
