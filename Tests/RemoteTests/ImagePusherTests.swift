import Bindings
import Foundation
import NIOHTTP1
import OCILayout
import OCISpec
import Remote
import Reporting
import Server
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Whole images into `ociforge serve`, with faults on the way.
@Suite struct ImagePusherTests {
  private let images: SampleImages
  private let bench: RegistryBench

  init() throws {
    images = try SampleImages()
    bench = try RegistryBench()
  }

  @discardableResult
  private func push(
    _ root: Descriptor, to registry: FaultyRegistry, tags: [String] = ["v1"],
    from layout: ImageLayout? = nil,
    obtain: @escaping @Sendable (Descriptor) async throws -> FilePath? = { _ in nil }
  ) async throws -> PushReport {
    try await bench.with(registry) { client in
      let pusher = ImagePusher(
        to: client, from: layout ?? images.layout, obtain: obtain, reporter: bench.bench.reporter)
      return try await pusher.push(root, tags: tags)
    }
  }

  /// What a tag leads to in the registry, asked by somebody else.
  private func digest(of tag: String, in registry: FaultyRegistry) async throws -> Digest? {
    try await RegistryBench().with(registry) { try await $0.resolve(.tag(tag))?.digest }
  }

  /// The paths that manifests were put to, below `/manifests/`.
  private func manifests(_ registry: FaultyRegistry) -> [String] {
    registry.requests.filter { $0.method == .PUT && $0.path.contains("/manifests/") }
      .map { String($0.path.split(separator: "/").last ?? "") }
  }

  private func count(_ method: HTTPMethod, _ registry: FaultyRegistry) -> Int {
    registry.requests.count { $0.method == method }
  }

  // MARK: Order

  @Test("children go before what names them, and tags last")
  func order() async throws {
    let first = try images.image(seed: 1), second = try images.image(seed: 2)
    let inner = try images.index([second]), root = try images.index([first, inner])
    try await FaultyRegistry.run { registry in
      let report = try await push(root, to: registry, tags: ["v1", "latest"])
      #expect(report.uploaded == 8)
      #expect(report.byteCount > 6 * 50_000)
      let names = manifests(registry)
      #expect(names.count == 5)
      #expect(Set(names.prefix(2)) == ["\(first.digest)", "\(second.digest)"])
      #expect(names.suffix(3) == ["\(inner.digest)", "v1", "latest"])
      let uploads = registry.requests.filter { $0.path.contains("/blobs/uploads/") }
      let put = try #require(registry.requests.first { $0.path.contains("/manifests/") })
      #expect(uploads.allSatisfy { $0.number < put.number }, "every blob before every manifest")
      #expect(count(.DELETE, registry) == 0)
      #expect(try await digest(of: "latest", in: registry) == root.digest)
    }
  }

  @Test("a second push asks for what is there and sends nothing")
  func again() async throws {
    let root = try images.index([try images.image(seed: 1), try images.image(seed: 2)])
    try await FaultyRegistry.run { registry in
      try await push(root, to: registry)
      let before = registry.requests.count
      let report = try await push(root, to: registry)
      #expect((report.uploaded, report.alreadyPresent, report.byteCount) == (0, 8, 0))
      let asked = registry.requests.dropFirst(before)
      // The greeting, eight blobs, two manifests, one tag.
      #expect(asked.map(\.method).filter { $0 == .HEAD }.count == 11)
      #expect(asked.count == 12, "\(asked.map(\.path))")
    }
  }

  @Test("a push that ended in the middle is finished by the next, which sends the rest alone")
  func continued() async throws {
    let root = try images.image(layers: 5)
    let last = try #require(try images.manifest(root).layers.last)
    let isBroken = Mutex(true)
    try await FaultyRegistry.run(fault: { request in
      guard isBroken.withLock({ $0 }), request.method == .PUT,
        request.target.contains(last.digest.hex)
      else { return nil }
      return .error(403, "DENIED")
    }) { registry in
      await #expect(throws: RegistryFailure.self) { try await push(root, to: registry) }
      #expect(try await digest(of: "v1", in: registry) == nil)
      isBroken.withLock { $0 = false }
      let report = try await push(root, to: registry)
      #expect(report.uploaded + report.alreadyPresent == 6)
      #expect((1...4).contains(report.uploaded), "\(report)")
      #expect(try await digest(of: "v1", in: registry) == root.digest)
    }
  }

  // MARK: Faults

  @Test(
    "U19: where one layer fails the others stop, their sessions are closed and nothing is named",
    .timeLimit(.minutes(1)))
  func oneFails() async throws {
    let root = try images.image(layers: 12)
    let bad = try images.manifest(root).layers[1]
    let stalled = Mutex(0)
    try await FaultyRegistry.run(fault: { request in
      guard request.method == .PUT else { return nil }
      guard request.target.contains(bad.digest.hex) else {
        stalled.withLock { $0 += 1 }
        return .drop(.stall)
      }
      // The others are in the middle of it by then.
      return Fault { _, _ in
        while stalled.withLock({ $0 }) < 3 { try await Task.sleep(for: .milliseconds(5)) }
        return ServerResponse(.forbidden)
      }
    }) { registry in
      let failure = await bench.failure { try await push(root, to: registry) }
      #expect(failure?.kind == .denied)
      #expect(manifests(registry) == [])
      #expect(count(.POST, registry) == 4)
      #expect(count(.PUT, registry) == 4)
      #expect(count(.DELETE, registry) == 4)
      let found = try await digest(of: "v1", in: registry)
      #expect(found == nil)
    }
  }

  @Test(
    "U28: who is told to stop closes all that is open, and no tag moves", .timeLimit(.minutes(1)))
  func cancelled() async throws {
    let old = try images.image(seed: 1), new = try images.image(layers: 6, seed: 2)
    let isSlow = Mutex(false)
    try await FaultyRegistry.run(fault: { request in
      request.method == .PUT && isSlow.withLock { $0 } ? .drop(.stall) : nil
    }) { registry in
      try await push(old, to: registry)
      let (posts, puts, before) = (
        count(.POST, registry), count(.PUT, registry), manifests(registry)
      )
      isSlow.withLock { $0 = true }
      let task = Task { try await push(new, to: registry) }
      while count(.PUT, registry) < puts + 4 { try await Task.sleep(for: .milliseconds(5)) }
      let duration = await ContinuousClock().measure {
        task.cancel()
        await #expect(throws: CancellationError.self) { _ = try await task.value }
      }
      #expect(duration < .seconds(3))
      #expect(count(.POST, registry) - posts == 4)
      #expect(count(.DELETE, registry) == 4)
      #expect(manifests(registry) == before)
      #expect(try await digest(of: "v1", in: registry) == old.digest)
    }
  }

  @Test("T9: a blob that arrived though its answer did not is not sent again", arguments: [1, 4])
  func answerLost(_ layers: Int) async throws {
    let root = try images.image(layers: layers)
    try await FaultyRegistry.run(fault: { request in
      request.method == .PUT && request.repetition == 0 ? .loseAnswer(.reset) : nil
    }) { registry in
      try await push(root, to: registry)
      let puts = registry.requests.filter { $0.method == .PUT }
      #expect(puts.count == layers + 2, "every blob and the manifest once")
      #expect(count(.POST, registry) == layers + 1)
      #expect(try await digest(of: "v1", in: registry) == root.digest)
    }
  }

  @Test("T10: what was cut on its way is sent from its start in a new session")
  func requestCut() async throws {
    let root = try images.image(layers: 1, of: 3 << 20)
    let layer = try images.manifest(root).layers[0]
    let isFirst = Mutex(true)
    try await FaultyRegistry.run(fault: { request in
      guard request.method == .PUT, request.target.contains(layer.digest.hex),
        isFirst.withLock({ first in
          defer { first = false }; return first
        })
      else { return nil }
      return .cutRequest(.reset, after: 1 << 20)
    }) { registry in
      try await push(root, to: registry)
      let puts = registry.requests.filter { $0.target.contains(layer.digest.hex.description) }
        .filter { $0.method == .PUT }
      #expect(puts.count == 2)
      #expect(Set(puts.map(\.path)).count == 2, "another session")
      #expect(puts.last?.bodyByteCount == Int(layer.size))
      #expect(count(.DELETE, registry) == 1, "the first session is left")
      #expect(try await digest(of: "v1", in: registry) == root.digest)
    }
  }

  @Test("U14: a blob that the registry only says it has is sent once it misses it")
  func lyingHead() async throws {
    let root = try images.image()
    let layer = try images.manifest(root).layers[1]
    try await FaultyRegistry.run(fault: { request in
      guard request.method == .HEAD, request.path.hasSuffix(layer.digest.hex),
        request.repetition == 0
      else { return nil }
      return .status(200, headers: ["Content-Length": "\(layer.size)"])
    }) { registry in
      let report = try await push(root, to: registry)
      #expect(report.alreadyPresent == 1)
      #expect(manifests(registry) == ["v1", "v1"])
      #expect(try await digest(of: "v1", in: registry) == root.digest)
    }
  }

  @Test("U14: a blob that is not in the layout is obtained where the registry misses it after all")
  func obtained() async throws {
    let root = try images.image()
    let layer = try images.manifest(root).layers[1]
    let path = images.layout.store.path(of: layer.digest)
    let elsewhere = images.directory.path.appending("elsewhere")
    try FileSystem.rename(path, to: elsewhere)
    let obtained = Mutex<[Digest]>([])
    try await FaultyRegistry.run(fault: { request in
      request.method == .HEAD && request.path.hasSuffix(layer.digest.hex) && request.repetition == 0
        ? .status(200, headers: ["Content-Length": "\(layer.size)"]) : nil
    }) { registry in
      let report = try await push(root, to: registry) { blob in
        obtained.withLock { $0.append(blob.digest) }
        return elsewhere
      }
      #expect(report.uploaded == 3)
      #expect(obtained.withLock { $0 } == [layer.digest])
      #expect(try await digest(of: "v1", in: registry) == root.digest)
    }
  }

  @Test("U16: a registry that loses what it has taken gets no tag, and that is said")
  func lostAfterwards() async throws {
    let root = try images.image()
    let layer = try images.manifest(root).layers[2]
    try await FaultyRegistry.run(fault: { request in
      request.method == .PUT && request.target.contains(layer.digest.hex) ? .status(201) : nil
    }) { registry in
      do {
        try await push(root, to: registry)
        Issue.record("a lost layer is no success")
      } catch let missing as MissingBlobs {
        #expect(missing.digests == [layer.digest])
        #expect(missing.description.contains("MANIFEST_BLOB_UNKNOWN"), "\(missing)")
      }
      #expect(manifests(registry) == ["v1", "v1"])
      #expect(try await digest(of: "v1", in: registry) == nil)
    }
  }

  @Test("S3: one busy answer stops all uploads to the host until its time has come")
  func hostGate() async throws {
    let root = try images.image(layers: 8)
    let times = Mutex<[(isRefused: Bool, time: ContinuousClock.Instant)]>([])
    try await FaultyRegistry.run(fault: { request in
      let isRefused =
        request.method == .PUT && request.repetition == 0
        && request.path.contains("/blobs/") && times.withLock { $0.allSatisfy { !$0.isRefused } }
      times.withLock { $0.append((isRefused, .now)) }
      return isRefused ? .error(429, "TOOMANYREQUESTS", headers: ["Retry-After": "1"]) : nil
    }) { registry in
      var settings = bench.settings()
      settings.network.pause = .system
      try await bench.with(registry, settings: settings) { client in
        let pusher = ImagePusher(
          to: client, from: images.layout, reporter: bench.bench.reporter)
        _ = try await pusher.push(root, tags: ["v1"])
      }
      let all = times.withLock { $0 }
      let refusal = try #require(all.firstIndex { $0.isRefused })
      // Three others were on their way when the answer came.
      let early = all[(refusal + 1)...].filter { $0.time - all[refusal].time < .seconds(1) }
      #expect(early.count <= 6, "\(early.count)")
      #expect(all.count > refusal + 1 + early.count)
      #expect(try await digest(of: "v1", in: registry) == root.digest)
    }
  }

  @Test("U20: two that push at once both end well, and the tag is one of the two")
  func two() async throws {
    let first = try images.image(seed: 1), second = try images.image(seed: 2)
    try await FaultyRegistry.run { registry in
      async let one = push(first, to: registry)
      async let same = push(first, to: registry)
      async let other = push(second, to: registry)
      _ = try await (one, same, other)
      let found = try await digest(of: "v1", in: registry)
      #expect(found == first.digest || found == second.digest)
      for image in [first, second] {
        let there = try await RegistryBench().with(registry) {
          try await $0.resolve(.digest(image.digest))
        }
        #expect(there != nil)
      }
    }
  }

  @Test(
    "U5: bytes that never arrive as they were sent are given up, and nothing is named",
    .timeLimit(.minutes(1)))
  func damagedForEver() async throws {
    let root = try images.image(layers: 1)
    let layer = try images.manifest(root).layers[0]
    try await FaultyRegistry.run(fault: { request in
      request.method == .PUT && request.target.contains(layer.digest.hex)
        ? .error(400, "DIGEST_INVALID") : nil
    }) { registry in
      let failure = await bench.failure { try await push(root, to: registry) }
      #expect(failure != nil)
      let puts = registry.requests.filter {
        $0.method == .PUT && $0.target.contains(layer.digest.hex)
      }
      #expect(puts.count == 2)
      #expect(manifests(registry) == [])
    }
  }

  @Test("U22: a layer that changed in the layout is not sent as what it was")
  func damagedHere() async throws {
    let root = try images.image()
    let layer = try images.manifest(root).layers[0]
    let path = images.layout.store.path(of: layer.digest)
    var bytes = try FileSystem.readAll(path, limit: 1 << 20)
    bytes[100] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: path.string))
    try await FaultyRegistry.run { registry in
      let failure = await bench.failure { try await push(root, to: registry) }
      #expect(failure?.problem == .localCorruption(path: path.string))
      #expect(failure?.kind == .data)
      #expect(manifests(registry) == [])
      #expect(count(.DELETE, registry) >= 1)
    }
  }

  @Test("U23: an image with a layer of no bytes is not pushed")
  func emptyLayer() async throws {
    let root = try images.image { $0.layers.append(try images.put([], .layer)) }
    try await FaultyRegistry.run { registry in
      await #expect(throws: EmptyBlob.self) { try await push(root, to: registry) }
      #expect(manifests(registry) == [])
    }
  }

  @Test("a blob that nobody has is named before anything is put")
  func missing() async throws {
    let root = try images.image()
    let layer = try images.manifest(root).layers[0]
    try FileSystem.remove(images.layout.store.path(of: layer.digest))
    try await FaultyRegistry.run { registry in
      await #expect(
        throws: LayoutError.missingBlob(layer.digest, layout: images.layout.path.string)
      ) { try await push(root, to: registry) }
      #expect(manifests(registry) == [])
    }
  }

  @Test("P16: a foreign layer stays where its publisher keeps it, and its image goes")
  func foreign() async throws {
    let root = try images.image { manifest in
      manifest.layers[0].unknown["urls"] = .array([.string("http://127.0.0.1:1/layer")])
    }
    let layer = try images.manifest(root).layers[0]
    try FileSystem.remove(images.layout.store.path(of: layer.digest))
    try await FaultyRegistry.run { registry in
      let report = try await push(root, to: registry)
      #expect(report.uploaded == 3)
      #expect(try await digest(of: "v1", in: registry) == root.digest)
    }
  }
}
