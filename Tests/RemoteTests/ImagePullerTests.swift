import Bindings
import OCILayout
import OCISpec
import Remote
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Whole images out of registries that say what they should not.
@Suite struct ImagePullerTests {
  private let images: SampleImages
  private let bench: RegistryBench
  private let layout: ImageLayout
  /// What was asked for behind the greeting.
  private let asked = Lines()

  private final class Lines: Sendable {
    let all = Mutex<[String]>([])
  }

  init() throws {
    images = try SampleImages()
    bench = try RegistryBench()
    layout = try ImageLayout.create(images.directory.path.appending("pulled"))
  }

  private var lines: [String] { asked.all.withLock { $0 } }

  /// The blobs that are in the layout now.
  private var blobs: Set<String> {
    let names = (try? FileSystem.entries(of: layout.path.appending("blobs").appending("sha256")))
    return Set((names ?? []).map { String(decoding: $0, as: UTF8.self) })
  }

  /// Pulls what a layout has as the tag `v1`.
  private func pull(
    _ root: Descriptor,
    change: @escaping @Sendable (ScriptedServer.Request, inout ScriptedServer.Answer) -> Void = {
      _, _ in
    }
  ) async throws {
    let (images, asked) = (images, asked)
    try await ScriptedServer.run({ request in
      if request.uri != "/v2/" { asked.all.withLock { $0.append(request.uri) } }
      var answer = images.answer(request, root: root)
      change(request, &answer)
      return answer
    }) { server in
      try await bench.with(server) { client in
        let puller = ImagePuller(from: client, into: layout, reporter: bench.bench.reporter)
        let found = try await puller.documents(of: Reference(parsing: "\(client.repository):v1"))
        #expect(found.digest == root.digest)
        try await puller.layers(of: found)
      }
    }
  }

  /// The failure that a pull ends in; at least a clear one.
  private func failure(
    _ root: Descriptor,
    change: @escaping @Sendable (ScriptedServer.Request, inout ScriptedServer.Answer) -> Void = {
      _, _ in
    }
  ) async -> (any Failure)? {
    do {
      try await pull(root, change: change)
      return nil
    } catch {
      if !(error is any Failure) { Issue.record(error) }
      return error as? any Failure
    }
  }

  @Test("an image comes whole, each part once, and a second time its manifest alone")
  func whole() async throws {
    let first = try images.image(seed: 1), second = try images.image(seed: 2)
    let root = try images.index([first, try images.index([second])])
    try await pull(root)
    // Two indexes and manifests each, two configs, six layers.
    #expect(lines.count == 12)
    #expect(Set(lines).count == 12)
    #expect(blobs.count == 12)
    try await pull(root)
    #expect(lines.dropFirst(12) == ["/v2/team/app/manifests/v1"])
  }

  @Test("P11: one layer whose bytes are wrong for ever is fetched twice and has no name then")
  func wrongLayer() async throws {
    let root = try images.image()
    let layer = try images.manifest(root).layers[1]
    let failure = await failure(root) { request, answer in
      if request.uri.hasSuffix(layer.digest.hex) { answer.body[7] ^= 1 }
    }
    #expect(failure?.kind == .data)
    #expect(lines.count { $0.hasSuffix(layer.digest.hex) } == 2)
    #expect(!blobs.contains(layer.digest.hex))
    #expect(try layout.index().manifests.isEmpty, "nothing is tagged")
  }

  @Test(
    "P1: a manifest in an index that is not what its digest says is fetched twice, then refused")
  func wrongManifest() async throws {
    let image = try images.image()
    let root = try images.index([image])
    let failure = await failure(root) { request, answer in
      if request.uri.hasSuffix(image.digest.hex) { answer.body[answer.body.count - 1] = 0x20 }
    }
    #expect(failure?.kind == .data)
    #expect(lines.count { $0.hasSuffix(image.digest.hex) } == 2)
    #expect(!blobs.contains(image.digest.hex))
  }

  @Test("P8: a child of another size than its index says is refused", arguments: [-1, 1])
  func wrongSize(_ difference: Int64) async throws {
    var image = try images.image()
    image.size += difference
    let failure = await failure(try images.index([image]))
    #expect(
      (failure as? RegistryFailure)?.problem
        == .sizeMismatch(expected: image.size, found: image.size - difference))
    #expect(lines.count == 2)
  }

  @Test("P7: indexes are followed 8 levels deep and no further", arguments: [8, 9, 50])
  func nested(_ depth: Int) async throws {
    var root = try images.image(layers: 1)
    for _ in 0..<depth { root = try images.index([root]) }
    let failure = await failure(root)
    if depth == 8 {
      #expect(failure == nil)
    } else {
      #expect(
        (failure as? LayoutError)
          == .nestedTooDeep(root.digest, limit: ImageLayout.maximumIndexDepth))
      #expect(lines.count == 8, "what is too deep is not looked into")
    }
  }

  @Test(
    "P7: indexes that name one another a hundredfold are given up, not followed a hundred times each",
    .timeLimit(.minutes(1)))
  func multiplied() async throws {
    var root = try images.image(layers: 1)
    for _ in 0..<8 { root = try images.index(Array(repeating: root, count: 101)) }
    let failure = await failure(root)
    #expect(
      (failure as? LayoutError)
        == .tooManyEntries(root.digest, limit: ImageLayout.maximumIndexEntries))
    #expect(lines.count < 20, "\(lines.count)")
  }

  @Test("P7: a tag that an index names as its child is no way into itself")
  func selfReference() async throws {
    let image = try images.image()
    let child = try images.index([image])
    var root = try images.index([child])
    root.annotations = [:]
    // The index comes again where its child is asked for.
    let bytes = try FileSystem.readAll(images.layout.store.path(of: root.digest), limit: 1 << 20)
    let failure = await failure(root) { request, answer in
      if request.uri.hasSuffix(child.digest.hex) { answer.body = bytes }
    }
    #expect(failure?.kind == .data)
    #expect(lines.count == 3)
  }

  @Test("P9: what a descriptor embeds (data) is not taken for what it names")
  func embeddedData() async throws {
    let image = try images.image { manifest in
      manifest.config.unknown["data"] = .string("bGllcw==")
      manifest.layers[0].unknown["data"] = .string("bGllcw==")
    }
    var entry = image
    entry.unknown["data"] = .string("e30=")
    try await pull(try images.index([entry]))
    let manifest = try images.manifest(image)
    for blob in [manifest.config, manifest.layers[0]] {
      #expect(lines.contains("/v2/team/app/blobs/\(blob.digest)"))
      #expect(try layout.store.verify(blob.digest))
    }
    #expect(lines.contains("/v2/team/app/manifests/\(image.digest)"))
  }

  @Test(
    "P6, P10: descriptors that are none get into no URL and no path",
    arguments: [
      ("digest", #""foo:abc""#), ("digest", #""md5:d41d8cd98f00b204e9800998ecf8427e""#),
      ("digest", #""sha256:abc""#), ("digest", #""sha256:../../../../etc/passwd""#),
      ("digest", "\"sha256:" + String(repeating: "A", count: 64) + "\""), ("digest", "7"),
      ("size", "-1"), ("size", "9223372036854775808"), ("size", "1e3"), ("size", #""5""#),
      ("size", "null"), ("size", "1.5"),
    ])
  func descriptors(_ member: String, _ text: String) async throws {
    let image = try images.image()
    let manifest = try images.manifest(image)
    for victim in [manifest.config, manifest.layers[0], image] {
      let isChild = victim == image
      let document = isChild ? try images.index([image]) : image
      let path = images.layout.store.path(of: document.digest)
      let whole = String(
        decoding: try FileSystem.readAll(path, limit: 1 << 20), as: UTF8.self)
      let old = member == "digest" ? "\"\(victim.digest)\"" : "\"size\":\(victim.size)"
      let new = member == "digest" ? text : "\"size\":\(text)"
      try #require(whole.contains(old))
      let root = try images.put(
        Array(whole.replacing(old, with: new).utf8), document.mediaType)
      asked.all.withLock { $0 = [] }
      let before = blobs
      let failure = await failure(root)
      #expect(failure != nil, "\(new)")
      #expect(lines == ["/v2/team/app/manifests/v1"], "\(new)")
      #expect(blobs.subtracting(before).isSubset(of: [root.digest.hex]))
    }
  }

  @Test("P16: a foreign layer that the registry lacks is left out, and nobody else is asked")
  func foreign() async throws {
    try await ScriptedServer.run({ _ in .ok }) { elsewhere in
      let root = try images.image { manifest in
        manifest.layers[0].unknown["urls"] = .array([.string(elsewhere.url("/layer"))])
      }
      let layer = try images.manifest(root).layers[0]
      try await pull(root) { request, answer in
        if request.uri.hasSuffix(layer.digest.hex) { answer = .status(404) }
      }
      #expect(elsewhere.requests.isEmpty)
      #expect(!blobs.contains(layer.digest.hex))
      #expect(bench.warnings.count { $0.contains("foreign layer") } == 1)
    }
  }

  @Test("P17: a config of 100 MiB is not asked for")
  func hugeConfig() async throws {
    let root = try images.image { $0.config.size = 100 << 20 }
    let failure = await failure(root)
    #expect((failure as? RegistryFailure)?.problem == .tooLarge(limit: 4 << 20))
    #expect(lines == ["/v2/team/app/manifests/v1"])
  }

  @Test("P17: a config of an unknown type is bytes like others, whatever it says")
  func opaqueConfig() async throws {
    let root = try images.image { manifest in
      manifest.config = try images.put(Array("no JSON".utf8), MediaType(rawValue: "example/x"))
    }
    try await pull(root)
    #expect(blobs.contains(try images.manifest(root).config.digest.hex))
  }

  @Test("T3: every body that is cut once is gone on with, and not fetched again from its start")
  func cut() async throws {
    let root = try images.image(layers: 3, of: 3 << 20)
    let starts = Mutex<[String: [Int]]>([:])
    try await pull(root) { request, answer in
      guard request.uri.contains("/blobs/"), answer.body.count > 1000 else { return }
      let start = request["Range"].flatMap { Int($0.dropFirst(6).dropLast()) } ?? 0
      let isFirst = starts.withLock {
        $0[request.uri, default: []].append(start)
        return $0[request.uri]?.count == 1
      }
      if isFirst { answer.dropAfter = (1 << 20) + 17 }
    }
    let all = starts.withLock { $0.values }
    #expect(all.count == 3)
    // A busy machine may lose a connection more.
    #expect(all.allSatisfy { $0.count >= 2 && $0[0] == 0 && $0[1] > 0 && $0 == $0.sorted() })
    #expect(blobs.count == 5)
  }
}
