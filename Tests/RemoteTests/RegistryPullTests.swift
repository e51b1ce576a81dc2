import Bindings
import Credentials
import NIOCore
import NIOHTTP1
import OCILayout
import OCISpec
import Reporting
import Synchronization
import SystemPackage
import Testing

@testable import Remote

private typealias Script = @Sendable (ScriptedServer.Request) -> ScriptedServer.Answer

@Suite struct RegistryPullTests {
  /// A registry that answers greetings, and the rest as it is told.
  private func behindGreeting(_ script: @escaping Script) -> Script {
    { $0.uri == "/v2/" ? .ok : script($0) }
  }

  private func descriptor(_ bytes: [UInt8], _ digest: Digest) -> Descriptor {
    Descriptor(mediaType: .layerGzip, digest: digest, size: Int64(bytes.count))
  }

  private func fetch(
    _ bench: RegistryBench, _ server: ScriptedServer, _ descriptor: Descriptor,
    credential: FoundCredential? = nil, settings: RegistrySettings? = nil
  ) async throws {
    try await bench.with(server, credential: credential, settings: settings) {
      try await $0.fetchBlob(descriptor, into: bench.bench.store, reporter: bench.bench.reporter)
    }
  }

  /// After a fetch that failed for good there is nothing left.
  private func expectNothing(_ bench: RegistryBench) {
    #expect(bench.bench.files.isEmpty)
  }

  // MARK: - Manifests

  @Test("a tag is resolved with HEAD where it tells all")
  func resolve() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    try await ScriptedServer.run(
      behindGreeting { _ in
        manifest.answer(digestHeader: "\(manifest.digest)")
      }
    ) { server in
      try await bench.with(server) { client in
        for name in [ManifestName.tag("v1"), .digest(manifest.digest)] {
          let found = try await client.resolve(name)
          #expect(found == manifest.descriptor)
        }
      }
      #expect(server.real.map(\.method) == ["HEAD", "HEAD"])
      #expect(
        server.real[0]["Accept"]
          == "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
      )
    }
  }

  @Test("a tag that is not there is nothing; its manifest is an error that says so")
  func missing() async throws {
    let bench = try RegistryBench()
    let body = #"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"not here"}]}"#
    try await ScriptedServer.run(behindGreeting { _ in .status(404, body: body) }) { server in
      let nothing = try await bench.with(server) { try await $0.resolve(.tag("v1")) }
      #expect(nothing == nil)
      let failure = await bench.failure {
        try await bench.with(server) { try await $0.manifest(.tag("v1")) }
      }
      #expect(failure?.kind == .notFound)
      let host = "127.0.0.1:\(server.port)"
      #expect(
        failure?.description
          == "pulling \(host)/team/app:v1: GET http://\(host)/v2/team/app/manifests/v1: status 404: MANIFEST_UNKNOWN: not here"
      )
    }
  }

  @Test(
    "P3: a HEAD that does not tell all is followed by a GET",
    arguments: [
      "no digest", "no type", "no length", "malformed digest", "400", "403", "405", "501",
    ])
  func poorHead(_ kind: String) async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    try await ScriptedServer.run(
      behindGreeting { request in
        guard request.method == "HEAD" else { return manifest.answer() }
        if let status = Int(kind) { return .status(status) }
        return switch kind {
        case "no digest": manifest.answer()
        case "no type": manifest.answer(type: nil, digestHeader: "\(manifest.digest)")
        case "no length":
          .init(
            headers: [
              ("Content-Type", "\(MediaType.imageManifest)"),
              ("Docker-Content-Digest", "\(manifest.digest)"),
            ], isChunked: true)
        default: manifest.answer(digestHeader: "sha256:../../etc/passwd")
        }
      }
    ) { server in
      let found = try await bench.with(server) { try await $0.resolve(.tag("v1")) }
      #expect(found == manifest.descriptor)
      #expect(server.real.map(\.method) == ["HEAD", "GET"])
    }
  }

  @Test("P1: a body that is not what its digest says is fetched once more, then refused")
  func wrongManifest() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let other = try SampleManifest(#"{"schemaVersion":2,"layers":[]}"#)
    for isWrongOnce in [true, false] {
      try await ScriptedServer.run(
        behindGreeting { request in
          (isWrongOnce && request.number == 2 ? manifest : other).answer()
        }
      ) { server in
        let failure = await bench.failure {
          try await bench.with(server) { try await $0.manifest(.digest(manifest.digest)) }
        }
        #expect(server.real.count == 2)
        let mismatch = RegistryFailure.Problem.digestMismatch(
          expected: manifest.digest, found: other.digest)
        #expect(failure?.problem == (isWrongOnce ? nil : mismatch))
        if !isWrongOnce { #expect(failure?.kind == .data) }
      }
    }
  }

  @Test("P2: what Docker-Content-Digest says must be so, where it says anything")
  func digestHeader() async throws {
    let manifest = try SampleManifest(), other = try SampleManifest("{}")
    let long = try Digest.of(manifest.bytes, by: .sha512)
    let wrongLong = try Digest.of([], by: .sha512)
    let cases: [(String, isGood: Bool, isWarned: Bool)] = [
      ("\(manifest.digest)", true, false), ("\(long)", true, false),
      ("\(other.digest)", false, false), ("\(wrongLong)", false, false),
      ("nonsense", true, true), ("\(manifest.digest)".uppercased(), true, true),
      ("md5:abc", true, true),
    ]
    for (header, isGood, isWarned) in cases {
      let bench = try RegistryBench()
      try await ScriptedServer.run(
        behindGreeting { _ in
          manifest.answer(digestHeader: header)
        }
      ) { server in
        let failure = await bench.failure {
          try await bench.with(server) { client in
            let found = try await client.manifest(.tag("v1")).descriptor
            #expect(found == manifest.descriptor)
          }
        }
        #expect((failure == nil) == isGood, "\(header)")
        #expect(bench.warnings.isEmpty != isWarned, "\(header)")
      }
    }
  }

  @Test(
    "P4: a manifest of more than 4 MiB is refused, whether it says its size or never ends",
    arguments: [true, false])
  func hugeManifest(_ isChunked: Bool) async throws {
    let bench = try RegistryBench()
    let body = [UInt8](repeating: 0x20, count: (4 << 20) + 1)
    try await ScriptedServer.run(
      behindGreeting { _ in
        .init(body: body, isChunked: isChunked)
      }
    ) { server in
      let failure = await bench.failure {
        try await bench.with(server) { try await $0.manifest(.tag("v1")) }
      }
      #expect(failure?.problem == .tooLarge(limit: 4 << 20))
      #expect(server.real.count == 1)
    }
  }

  @Test(
    "P5, P6, P7: what a manifest is, and what is none",
    arguments: [
      (nil, #"{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#, "index"),
      (
        "application/vnd.oci.image.manifest.v1+json; charset=utf-8", #"{"config":{},"layers":[]}"#,
        "manifest"
      ),
      ("Application/VND.oci.image.manifest.v1+JSON", #"{"config":{},"layers":[]}"#, "manifest"),
      ("text/plain", #"{"layers":[]}"#, "manifest"),
      ("application/json", #"{"manifests":[]}"#, "index"),
      (
        "application/vnd.oci.image.manifest.v1+json",
        #"{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#, "broken"
      ),
      ("application/vnd.oci.image.index.v1+json", #"{"layers":[]}"#, "broken"),
      ("application/vnd.oci.image.manifest.v1+json", #"{"manifests":[]}"#, "broken"),
      (nil, #"{"mediaType":7,"layers":[]}"#, "broken"),
      (
        "application/vnd.docker.distribution.manifest.v1+prettyjws", #"{"schemaVersion":1}"#,
        "unsupported"
      ),
      ("application/vnd.example", #"{"layers":[]}"#, "unsupported"), (nil, "{}", "unsupported"),
      (nil, #"{"layers":[],"manifests":[]}"#, "broken"),
      (nil, #"{"config":{},"manifests":[]}"#, "broken"),
      (nil, #"{"layers":[],"layers":[]}"#, "broken"), (nil, "[]", "broken"), (nil, "", "broken"),
      (nil, String(repeating: "[", count: 100_000), "broken"),
      (nil, #"{"layers":[NaN]}"#, "broken"),
      (
        nil, #"{"layers":[\#(Array(repeating: "1", count: 1001).joined(separator: ","))]}"#,
        "broken"
      ),
      (
        nil, #"{"manifests":[\#(Array(repeating: "1", count: 10_001).joined(separator: ","))]}"#,
        "broken"
      ),
    ] as [(String?, String, String)])
  func documents(_ contentType: String?, _ text: String, _ expected: String) {
    let found: String
    do throws(RegistryFailure.Problem) {
      let type = try ManifestRules.mediaType(of: Array(text.utf8), contentType: contentType)
      found = type.isIndex ? "index" : "manifest"
    } catch {
      switch error {
      case .protocolBroken: found = "broken"
      case .unsupportedMediaType: found = "unsupported"
      default: found = "\(error)"
      }
    }
    #expect(found == expected, "\(text.prefix(80))")
  }

  @Test("P8: a document of another size or type than its index says is refused")
  func sizeOfChild() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    try await ScriptedServer.run(behindGreeting { _ in manifest.answer() }) { server in
      try await bench.with(server) { client in
        let found = try await client.manifest(manifest.descriptor)
        #expect(found.bytes == manifest.bytes)
        var wrong = manifest.descriptor
        wrong.size += 1
        let size = await bench.failure { [wrong] in try await client.manifest(wrong) }
        #expect(
          size?.problem == .sizeMismatch(expected: wrong.size, found: manifest.descriptor.size))
        wrong = manifest.descriptor
        wrong.mediaType = .imageIndex
        let type = await bench.failure { [wrong] in try await client.manifest(wrong) }
        #expect(type?.kind == .protocolBroken)
      }
    }
  }

  @Test("P10: names that are no digests get into no URL")
  func badDigests() {
    for text in [
      "foo:abc", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:abc",
      "sha256:" + String(repeating: "A", count: 64), "sha256:../../etc",
    ] { #expect(throws: DigestError.self) { try Digest(parsing: text) } }
  }

  @Test("P18: where the tag moves between HEAD and GET, what came counts")
  func movingTag() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let newer = try SampleManifest(#"{"schemaVersion":2,"config":{},"layers":[]}"#)
    try await ScriptedServer.run(
      behindGreeting { request in
        request.method == "HEAD"
          ? manifest.answer(digestHeader: "\(manifest.digest)") : newer.answer()
      }
    ) { server in
      try await bench.with(server) { client in
        let first = try await client.resolve(.tag("v1"))
        let second = try await client.manifest(.tag("v1"))
        #expect(first?.digest == manifest.digest)
        #expect(second.descriptor.digest == newer.digest)
      }
    }
  }

  // MARK: - Blobs

  @Test("a blob is fetched once, hashed, and shown as cached then")
  func blob() async throws {
    let bench = try RegistryBench(), (bytes, digest) = try sample()
    try await ScriptedServer.run(behindGreeting { .blob(bytes, for: $0) }) { server in
      try await fetch(bench, server, descriptor(bytes, digest))
      try await fetch(bench, server, descriptor(bytes, digest))
      #expect(server.real.count == 1)
      #expect(try bench.bench.content(digest) == bytes)
      #expect(bench.bench.files == ["blobs/sha256/\(digest.hex)"])
    }
  }

  @Test("a blob may be named by its sha512")
  func sha512() async throws {
    let bench = try RegistryBench(), (bytes, _) = try sample()
    let digest = try Digest.of(bytes, by: .sha512)
    try await ScriptedServer.run(
      behindGreeting { request in
        var answer = ScriptedServer.Answer.blob(bytes, for: request)
        if request.number == 1 { answer.dropAfter = 1000 }
        return answer
      }
    ) { server in
      try await fetch(bench, server, descriptor(bytes, digest))
      #expect(try bench.bench.content(digest) == bytes)
    }
  }

  @Test(
    "T3, T5, T6: a body that is cut is gone on with where it ended",
    arguments: ["reset", "end", "chunked"])
  func cut(_ kind: String) async throws {
    let bench = try RegistryBench(), (bytes, digest) = try sample()
    try await ScriptedServer.run(
      behindGreeting { request in
        var answer = ScriptedServer.Answer.blob(bytes, for: request)
        guard request.number < 4 else { return answer }
        answer.isChunked = kind == "chunked"
        answer.isReset = kind == "reset"
        return answer.dropping(after: 80_000)
      }
    ) { server in
      try await fetch(bench, server, descriptor(bytes, digest))
      #expect(try bench.bench.content(digest) == bytes)
      // Bytes that were on their way when a reset came are lost.
      let starts = server.real.map { $0["Range"].flatMap { Int($0.dropFirst(6).dropLast()) } ?? 0 }
      #expect(starts.count == 4)
      #expect(zip(starts, starts.dropFirst()).allSatisfy { $0 <= $1 && $1 - $0 <= 80_000 })
      if kind != "reset" { #expect(starts == [0, 80_000, 160_000, 240_000]) }
    }
  }

  @Test("T4: a body that is cut at the same place for ever is given up")
  func cutForEver() async throws {
    let bench = try RegistryBench(), (bytes, digest) = try sample()
    try await ScriptedServer.run(
      behindGreeting { request in
        .blob(bytes, for: request).dropping(after: request["Range"] == nil ? 100_000 : 0)
      }
    ) { server in
      let failure = await bench.failure {
        try await fetch(bench, server, descriptor(bytes, digest))
      }
      #expect(failure?.kind == .unavailable)
      #expect(server.real.count == 5)
      #expect(
        bench.bench.files == ["partial/\(digest.hex)"], "the next run goes on with what came")
    }
  }

  @Test(
    "T3, T4: a body that comes in many pieces of a megabyte is gone on with, ten times at most",
    arguments: [9, 12])
  func manyPieces(_ pieces: Int) async throws {
    let bench = try RegistryBench()
    let bytes = [UInt8](repeating: 9, count: pieces << 20), digest = try Digest.sha256(of: bytes)
    try await ScriptedServer.run(
      behindGreeting {
        .blob(bytes, for: $0).dropping(after: (1 << 20) + 10)
      }
    ) { server in
      let failure = await bench.failure {
        try await fetch(bench, server, descriptor(bytes, digest))
      }
      #expect((failure == nil) == (pieces == 9), "\(String(describing: failure))")
      // A piece that the server did not get rid of before it hung up does not count.
      if pieces == 12 { #expect((11...14).contains(server.real.count)) }
    }
  }

  @Test("what a process that died had is not fetched again")
  func continued() async throws {
    let bench = try RegistryBench(), (bytes, digest) = try sample()
    try bench.bench.leavePartial(bytes.prefix(200_000), of: digest, validator: nil)
    try await ScriptedServer.run(behindGreeting { .blob(bytes, for: $0) }) { server in
      try await fetch(bench, server, descriptor(bytes, digest))
      #expect(server.real.map { $0["Range"] } == ["bytes=200000-"])
      #expect(try bench.bench.content(digest) == bytes)
    }
  }

  @Test(
    "P11: one bit that is wrong costs one more fetch, then the blob is refused",
    arguments: [true, false])
  func flippedBit(_ isOnce: Bool) async throws {
    let bench = try RegistryBench(), (bytes, digest) = try sample()
    var wrong = bytes
    wrong[1000] ^= 1
    try await ScriptedServer.run(
      behindGreeting { [wrong] request in
        .blob(isOnce && request.number == 2 ? bytes : wrong, for: request)
      }
    ) { server in
      let failure = await bench.failure {
        try await fetch(bench, server, descriptor(bytes, digest))
      }
      #expect(server.real.map { $0["Range"] } == [nil, nil])
      #expect((failure == nil) == isOnce)
      if !isOnce {
        #expect(failure?.kind == .data)
        expectNothing(bench)
      }
    }
  }

  @Test("P11: what a dead process left may be wrong; then all is fetched again")
  func wrongPrefix() async throws {
    let bench = try RegistryBench(), (bytes, digest) = try sample()
    try bench.bench.leavePartial([UInt8](repeating: 0, count: 1000), of: digest, validator: nil)
    try await ScriptedServer.run(behindGreeting { .blob(bytes, for: $0) }) { server in
      try await fetch(bench, server, descriptor(bytes, digest))
      #expect(server.real.map { $0["Range"] } == ["bytes=1000-", nil])
    }
  }

  @Test(
    "P11, T18: a body of another size is refused, at the first byte too many", arguments: [-1, 1],
    [true, false])
  func otherSize(_ difference: Int, _ isChunked: Bool) async throws {
    let bench = try RegistryBench(), (bytes, digest) = try sample()
    let sent = difference > 0 ? bytes + [1] : Array(bytes.dropLast())
    try await ScriptedServer.run(
      behindGreeting { _ in
        .init(body: sent, isChunked: isChunked)
      }
    ) { server in
      let failure = await bench.failure {
        try await fetch(bench, server, descriptor(bytes, digest))
      }
      switch failure?.problem {
      case .sizeMismatch(expected: 300_000, _): #expect(!isChunked || difference > 0)
      case .protocolBroken, .network: #expect(isChunked && difference < 0)
      default: Issue.record("\(String(describing: failure))")
      }
      if !isChunked || difference > 0 { expectNothing(bench) }
      #expect(server.real.count <= 5)
    }
  }

  @Test(
    "P12: answers to a range that fit nothing begin the blob anew, once",
    arguments: ["wrong start", "multipart", "no range", "other total", "short"], [true, false])
  func oddRanges(_ kind: String, _ isForEver: Bool) async throws {
    let bench = try RegistryBench(), (bytes, digest) = try sample()
    try await ScriptedServer.run(
      behindGreeting { request in
        var answer = ScriptedServer.Answer.blob(bytes, for: request)
        if request["Range"] == nil {
          return answer.dropping(after: isForEver ? 100_000 : bytes.count)
        }
        answer.headers =
          switch kind {
          case "wrong start": [("Content-Range", "bytes 5-299999/300000")]
          case "multipart": [("Content-Type", "multipart/byteranges; boundary=x")]
          case "no range": []
          case "other total": [("Content-Range", "bytes 100000-299999/300001")]
          default: [("Content-Range", "bytes 100000-200000/300000")]
          }
        return answer
      }
    ) { server in
      try bench.bench.leavePartial(bytes.prefix(100_000), of: digest, validator: nil)
      let failure = await bench.failure {
        try await fetch(bench, server, descriptor(bytes, digest))
      }
      if isForEver {
        #expect(failure?.kind == .protocolBroken)
        #expect(server.real.count == 3)
      } else {
        #expect(failure == nil)
        #expect(server.real.map { $0["Range"] } == ["bytes=100000-", nil])
      }
    }
  }

  @Test("P13: a server that ignores ranges gives all, and all is right")
  func ignoredRange() async throws {
    let bench = try RegistryBench(), (bytes, digest) = try sample()
    try bench.bench.leavePartial(bytes.prefix(100_000), of: digest, validator: nil)
    try await ScriptedServer.run(behindGreeting { _ in .init(body: bytes) }) { server in
      try await fetch(bench, server, descriptor(bytes, digest))
      #expect(server.real.count == 1)
      #expect(try bench.bench.content(digest) == bytes)
    }
  }

  @Test("P14: 416 in the middle begins anew; a whole blob needs no request")
  func rangeRefused() async throws {
    let (bytes, digest) = try sample()
    for (count, requests) in [(100_000, 2), (300_000, 0)] {
      let bench = try RegistryBench()
      try bench.bench.leavePartial(bytes.prefix(count), of: digest, validator: nil)
      try await ScriptedServer.run(
        behindGreeting { request in
          request["Range"] == nil ? .init(body: bytes) : .status(416)
        }
      ) { server in
        try await fetch(bench, server, descriptor(bytes, digest))
        #expect(server.real.count == requests)
        #expect(try bench.bench.content(digest) == bytes)
      }
    }
  }

  @Test("P16: a foreign layer is fetched from the registry or not at all")
  func foreignLayer() async throws {
    let bench = try RegistryBench(), (bytes, digest) = try sample()
    try await ScriptedServer.run({ _ in .ok }) { elsewhere in
      for isHere in [false, true] {
        try await ScriptedServer.run(
          behindGreeting { request in
            isHere ? .blob(bytes, for: request) : .status(404)
          }
        ) { server in
          var layer = descriptor(bytes, digest)
          layer.unknown["urls"] = .array([.string(elsewhere.url("/layer"))])
          let failure = await bench.failure { [layer] in
            try await fetch(bench, server, layer, credential: .sample)
          }
          #expect(failure?.problem == (isHere ? nil : .foreignLayer))
        }
      }
      #expect(elsewhere.requests.isEmpty)
    }
  }

  @Test("P17: a config of 100 MiB is not asked for; one that is not its digest is asked for twice")
  func configs() async throws {
    let bench = try RegistryBench()
    let config = Array(#"{"os":"linux"}"#.utf8), digest = try Digest.sha256(of: config)
    try await ScriptedServer.run(
      behindGreeting { request in
        request.uri.hasSuffix(digest.hex) ? .init(body: config) : .init(body: config.reversed())
      }
    ) { server in
      try await bench.with(server) { client in
        let good = Descriptor(mediaType: .imageConfig, digest: digest, size: Int64(config.count))
        #expect(try await client.document(good) == config)
        var huge = good
        huge.size = 100 << 20
        let tooLarge = await bench.failure { [huge] in try await client.document(huge) }
        #expect(tooLarge?.problem == .tooLarge(limit: 4 << 20))
        #expect(server.real.count == 1)
        let wrong = Descriptor(
          mediaType: .imageConfig, digest: try Digest.sha256(of: [1]), size: good.size)
        let mismatch = await bench.failure { try await client.document(wrong) }
        #expect(mismatch?.kind == .data)
        #expect(server.real.count == 3)
        var short = good
        short.size -= 1
        let size = await bench.failure { [short] in try await client.document(short) }
        #expect(size?.problem == .sizeMismatch(expected: short.size, found: good.size))
      }
    }
  }

  @Test(
    "S8, S12: a blob elsewhere is fetched without a credential, its range is kept, its challenge not answered"
  )
  func redirected() async throws {
    let bench = try RegistryBench(), (bytes, digest) = try sample()
    try bench.bench.leavePartial(bytes.prefix(100_000), of: digest, validator: nil)
    let isFirst = Mutex(true)
    try await ScriptedServer.run({ request in
      let isFirst = isFirst.withLock { first in
        defer { first = false }; return first
      }
      return isFirst
        ? .status(401, [("WWW-Authenticate", #"Basic realm="give me""#)])
        : .blob(bytes, for: request)
    }) { store in
      try await ScriptedServer.run({ request in
        guard request["Authorization"] != nil else {
          return .status(401, [("WWW-Authenticate", "Basic realm=x")])
        }
        return .status(307, [("Location", store.url("/blob?signature=s3cret"))])
      }) { server in
        try await fetch(bench, server, descriptor(bytes, digest), credential: .sample)
        #expect(store.requests.map { $0["Authorization"] } == [nil, nil])
        #expect(store.requests.map { $0["Range"] } == ["bytes=100000-", "bytes=100000-"])
        #expect(!bench.said.contains("s3cret"))
      }
    }
  }

  @Test("S11: where the redirect's target has expired, the registry is asked for a new one")
  func expired() async throws {
    let bench = try RegistryBench(), (bytes, digest) = try sample()
    try await ScriptedServer.run({ request in
      switch request.number {
      case 0: ScriptedServer.Answer.blob(bytes, for: request).dropping(after: 100_000)
      case 1: .status(403, body: "<Error><Code>AccessDenied</Code></Error>")
      default: .blob(bytes, for: request)
      }
    }) { store in
      try await ScriptedServer.run(
        behindGreeting { request in
          .status(307, [("Location", store.url("/blob?n=\(request.number)"))])
        }
      ) { server in
        try await fetch(bench, server, descriptor(bytes, digest))
        #expect(store.requests.map { $0["Range"] } == [nil, "bytes=100000-", "bytes=100000-"])
        #expect(Set(store.requests.map(\.uri)).count == 3)
      }
    }
  }

  @Test("two that want the same blob fetch it once")
  func together() async throws {
    let bench = try RegistryBench(), (bytes, digest) = try sample()
    try await ScriptedServer.run(
      behindGreeting { request in
        var answer = ScriptedServer.Answer.blob(bytes, for: request)
        answer.delay = .milliseconds(100)
        return answer
      }
    ) { server in
      try await bench.with(server) { client in
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<4 {
            group.addTask {
              try await client.fetchBlob(
                descriptor(bytes, digest), into: bench.bench.store, reporter: .silent)
            }
          }
          try await group.waitForAll()
        }
      }
      #expect(server.real.count == 1)
    }
  }
}
