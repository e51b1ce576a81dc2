import Bindings
import Credentials
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import OCISpec
import Remote
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite struct RegistryUploadTests {
  typealias Kind = FakeRegistry.Kind
  typealias Fault = FakeRegistry.Fault

  /// Pushes a blob and says what came of it.
  @discardableResult
  private func push(
    _ blob: SampleBlob, to registry: FakeRegistry, mountingFrom paths: [String] = [],
    bench: RegistryBench? = nil,
    early: @escaping @Sendable (FakeRegistry.Request) -> FakeRegistry.Answer? = { _ in nil },
    idle: Duration = .seconds(5)
  ) async throws -> UploadOutcome {
    let bench = try bench ?? RegistryBench()
    let file = try bench.bench.directory.write("blob", blob.bytes)
    return try await registry.run(early: early) { server in
      var settings = bench.settings(server)
      settings.network.idleTimeout = idle
      return try await bench.with(server, settings: settings) { client in
        try await client.push(blob.descriptor, from: file, mountingFrom: paths, item: "blob")
      }
    }
  }

  private func failure(
    _ blob: SampleBlob, to registry: FakeRegistry, mountingFrom paths: [String] = [],
    bench: RegistryBench? = nil
  ) async throws -> RegistryFailure {
    do {
      try await push(blob, to: registry, mountingFrom: paths, bench: bench)
    } catch let failure as RegistryFailure { return failure }
    throw Unexpected()
  }

  private struct Unexpected: Error {}

  // MARK: The usual ways

  @Test("U2: a blob goes in one PUT with its length, and its query is kept byte for byte")
  func monolithic() async throws {
    let registry = FakeRegistry(), blob = try SampleBlob(), bench = try RegistryBench()
    let file = try bench.bench.directory.write("blob", blob.bytes)
    try await registry.run { server in
      try await bench.with(server) { client in
        let outcome = try await client.push(
          blob.descriptor, from: file, mountingFrom: [], item: "blob")
        #expect(outcome == .uploaded)
        let again = try await client.push(
          blob.descriptor, from: file, mountingFrom: [], item: "blob")
        #expect(again == .alreadyPresent)
      }
      #expect(registry.log == [.look, .post, .put])
      let put = try #require(server.requests.last)
      let digest = "sha256%3A\(blob.descriptor.digest.hex)"
      #expect(put.uri.hasSuffix("?_state=a%2Bb%3D&digest=\(digest)"))
      #expect(put["Content-Type"] == "application/octet-stream")
      #expect(put["Content-Length"] == "100000")
      #expect(put["Transfer-Encoding"] == nil)
      #expect(put["Content-Range"] == nil)
      let post = try #require(server.requests.first { $0.method == "POST" })
      #expect(post["Content-Length"] == "0")
    }
    #expect(registry.blob(blob.descriptor.digest) == blob.bytes)
    let progress = bench.bench.events.withLock { $0 }.compactMap {
      if case .progress(_, let done, _) = $0 { done } else { nil }
    }
    #expect(progress.first == 0)
    #expect(progress.last == 100_000)
  }

  @Test("a file is read no faster than its connection takes it")
  func readAhead() async throws {
    let registry = FakeRegistry(), bench = try RegistryBench(), blob = try SampleBlob(16 << 20)
    let file = try bench.bench.directory.write("blob", blob.bytes)
    let read = Mutex<Int64>(0), readMeanwhile = Mutex<Int64>(0)
    try await registry.run { server in
      let repository = try Repository(parsing: "127.0.0.1:\(server.port)/team/app")
      let reporter = Reporter { event in
        guard case .progress(_, let done, _) = event else { return }
        read.withLock { $0 = done }
        guard done == 0 else { return }
        // Every thread that could send is busy with something else.
        for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
          loop.execute {
            Thread.sleep(forTimeInterval: 0.3)
            readMeanwhile.withLock { $0 = max($0, read.withLock { $0 }) }
          }
        }
      }
      try await withRegistries(
        bench.settings(server), credentials: CredentialProvider { _, _ in nil }, reporter: reporter
      ) { registries in
        try await registries.repository(repository).upload(
          blob.descriptor, from: file, item: "blob")
      }
    }
    #expect(readMeanwhile.withLock { $0 } <= 1 << 20)
    #expect(registry.blob(blob.descriptor.digest) == blob.bytes)
  }

  @Test("a sha512 blob says so when its upload begins")
  func sha512() async throws {
    let registry = FakeRegistry(), bench = try RegistryBench()
    let blob = try SampleBlob(1000, by: .sha512)
    let file = try bench.bench.directory.write("blob", blob.bytes)
    try await registry.run { server in
      try await bench.with(server) {
        try await $0.upload(blob.descriptor, from: file, item: "blob")
      }
      #expect(server.lines.contains("POST /v2/team/app/blobs/uploads/?digest-algorithm=sha512"))
    }
    #expect(registry.blob(blob.descriptor.digest) == blob.bytes)
  }

  @Test("ten who push the same blob at once send it once")
  func singleFlight() async throws {
    let registry = FakeRegistry(), blob = try SampleBlob(), bench = try RegistryBench()
    let file = try bench.bench.directory.write("blob", blob.bytes)
    try await registry.run { server in
      try await bench.with(server) { client in
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<10 {
            group.addTask {
              _ = try await client.push(
                blob.descriptor, from: file, mountingFrom: [], item: "blob")
            }
          }
          try await group.waitForAll()
        }
      }
    }
    #expect(registry.count(.put) == 1)
  }

  @Test("U23: a blob without bytes is refused before anything is opened")
  func empty() async throws {
    let registry = FakeRegistry(), blob = try SampleBlob(0)
    await #expect(throws: EmptyBlob.self) { try await push(blob, to: registry) }
    #expect(registry.count(.post) == 0)
  }

  @Test("a registry that has another size under the digest is not believed")
  func sizeConflict() async throws {
    let registry = FakeRegistry { kind, _, _ in
      kind == .look ? .instead(.init(body: [], length: 5)) : nil
    }
    let found = try await failure(try SampleBlob(), to: registry)
    #expect(found.problem == .sizeMismatch(expected: 100_000, found: 5))
    #expect(registry.log == [.look])
  }

  @Test("S6: a web page is not a blob")
  func portal() async throws {
    let registry = FakeRegistry { kind, _, _ in
      kind == .look ? .instead(.init(headers: [("Content-Type", "text/html")], length: 5)) : nil
    }
    #expect(try await failure(try SampleBlob(), to: registry).kind == .protocolBroken)
  }

  @Test("a HEAD that is not understood means that the blob is sent", arguments: [400, 405, 501])
  func headRefused(status: Int) async throws {
    let registry = FakeRegistry { kind, _, _ in kind == .look ? .status(status) : nil }
    #expect(try await push(try SampleBlob(), to: registry) == .uploaded)
  }

  // MARK: Opening

  @Test("U1: an upload without a place is opened once more, and then given up")
  func noLocation() async throws {
    let blob = try SampleBlob()
    let once = FakeRegistry { kind, number, _ in
      kind == .post && number == 0 ? .status(202) : nil
    }
    #expect(try await push(blob, to: once) == .uploaded)
    #expect(once.count(.post) == 2)
    let always = FakeRegistry { kind, _, _ in kind == .post ? .status(202) : nil }
    let found = try await failure(blob, to: always)
    #expect(found.kind == .protocolBroken)
    #expect(always.count(.post) == 2)
  }

  @Test(
    "U2: bytes go nowhere that a registry may not send them",
    arguments: [
      "http://other.example/u", "http://u:p@127.0.0.1/u",
    ]
  )
  func badLocation(location: String) async throws {
    let registry = FakeRegistry { kind, _, _ in
      kind == .post ? .status(202, [("Location", location)]) : nil
    }
    await #expect(throws: UploadLocationError.self) {
      try await push(try SampleBlob(), to: registry)
    }
    #expect(registry.count(.post) == 1)
  }

  @Test("U24: a repository that is not there is to be created first")
  func nameUnknown() async throws {
    let registry = FakeRegistry { kind, _, _ in
      kind == .post ? .status(404, body: error("NAME_UNKNOWN")) : nil
    }
    let found = try await failure(try SampleBlob(), to: registry)
    #expect(found.kind == .notFound)
    #expect(found.description.contains("create \"team/app\" there first"))
    #expect(registry.count(.post) == 1)
  }

  // MARK: Mounts

  @Test("U3: a blob that the registry takes over is not sent")
  func mounted() async throws {
    let registry = FakeRegistry { kind, _, _ in kind == .mount ? .status(201) : nil }
    let outcome = try await push(
      try SampleBlob(), to: registry, mountingFrom: ["team/app", "team/base"])
    #expect(outcome == .mounted)
    #expect(registry.log == [.look, .mount])
  }

  @Test("U3: the upload that a mount opens is the one that is used")
  func mountOpens() async throws {
    let registry = FakeRegistry()
    let outcome = try await push(try SampleBlob(), to: registry, mountingFrom: ["team/base"])
    #expect(outcome == .uploaded)
    #expect(registry.log == [.look, .mount, .put])
  }

  @Test(
    "U3: a mount that fails in whatever way is a plain upload",
    arguments: [400, 401, 403, 404, 405, 500, 503])
  func mountFails(status: Int) async throws {
    let registry = FakeRegistry { kind, _, _ in kind == .mount ? .status(status) : nil }
    let outcome = try await push(try SampleBlob(), to: registry, mountingFrom: ["team/base"])
    #expect(outcome == .uploaded)
    #expect(registry.log == [.look, .mount, .post, .put])
  }

  @Test("U3: a registry that takes over another blob is not believed")
  func mountsOther() async throws {
    let other = try Digest.sha256(of: [1])
    let registry = FakeRegistry { kind, _, _ in
      kind == .mount ? .status(201, [("Docker-Content-Digest", "\(other)")]) : nil
    }
    let blob = try SampleBlob()
    let found = try await failure(blob, to: registry, mountingFrom: ["team/base"])
    #expect(found.problem == .digestMismatch(expected: blob.descriptor.digest, found: other))
  }

  @Test("a mount asks for both fields and nothing else, and what nobody uses of it is closed")
  func mountAlone() async throws {
    let registry = FakeRegistry(), blob = try SampleBlob(10), bench = try RegistryBench()
    try await registry.run { server in
      let isMounted = try await bench.with(server) {
        try await $0.mount(blob.descriptor, from: "team/base")
      }
      #expect(!isMounted)
      let digest = "sha256%3A\(blob.descriptor.digest.hex)"
      #expect(
        server.real[0].uri
          == "/v2/team/app/blobs/uploads/?mount=\(digest)&from=team%2Fbase")
    }
    #expect(registry.log == [.mount, .cancel])
    #expect(registry.openSessions == 0)
  }

  @Test("A10: where the token service refuses the other repository, the blob is sent")
  func mountScopeRefused() async throws {
    let bench = try RegistryBench(), blob = try SampleBlob(10)
    let file = try bench.bench.directory.write("blob", blob.bytes)
    let registry = FakeRegistry { kind, _, request in
      if request.uri.hasPrefix("/token") {
        return request.uri.contains("team%2Fbase")
          ? .status(403) : .instead(.json(#"{"token":"t"}"#))
      }
      return request["Authorization"] == "Bearer t"
        ? nil : .status(401, [("WWW-Authenticate", #"Bearer realm="/token",service="r""#)])
    }
    try await registry.run { server in
      try await bench.with(server, credential: .sample) { client in
        let outcome = try await client.push(
          blob.descriptor, from: file, mountingFrom: ["team/base", "team/base"], item: "blob")
        #expect(outcome == .uploaded)
      }
      let tokens = server.lines.filter { $0.contains("/token") }
      let forBoth = tokens.filter { $0.contains("%2Fbase") }
      #expect(forBoth.count == 1, "\(tokens) \(forBoth)")
      // Push first: some give a token for the first scope alone.
      #expect(tokens.allSatisfy { $0.contains("scope=repository%3Ateam%2Fapp%3Apull%2Cpush") })
    }
  }

  // MARK: One PUT and its faults

  @Test("T9: a blob that arrived though its answer did not is not sent again")
  func committedThenReset() async throws {
    let registry = FakeRegistry { kind, _, _ in kind == .put ? .resetAfterwards : nil }
    #expect(try await push(try SampleBlob(), to: registry) == .uploaded)
    #expect(registry.log == [.look, .post, .put, .look])
  }

  @Test("T10: a cut upload is sent from its start in a new session, the old one is closed")
  func reset() async throws {
    let registry = FakeRegistry { kind, number, _ in kind == .put && number == 0 ? .reset : nil }
    #expect(try await push(try SampleBlob(), to: registry) == .uploaded)
    #expect(registry.log == [.look, .post, .put, .look, .cancel, .post, .put])
    #expect(registry.openSessions == 0)
  }

  @Test(
    "S1: a server's trouble that passes is waited out", arguments: [500, 502, 503, 504, 499, 522])
  func serverTrouble(status: Int) async throws {
    let registry = FakeRegistry { kind, number, _ in
      [.put, .post, .look].contains(kind) && number == 0 ? .status(status) : nil
    }
    let bench = try RegistryBench()
    #expect(try await push(try SampleBlob(), to: registry, bench: bench) == .uploaded)
    #expect(registry.count(.put) == 2)
    #expect(!bench.waits.isEmpty)
  }

  @Test("T8: a registry that stops reading is given up for another try")
  func deaf() async throws {
    let first = Mutex(true)
    let registry = FakeRegistry(), blob = try SampleBlob(16 << 20)
    let outcome = try await push(
      blob, to: registry,
      early: { request in
        guard request.method == "PUT",
          first.withLock({
            let was = $0; $0 = false; return was
          })
        else { return nil }
        return .init(isDeaf: true)
      }, idle: .seconds(1))
    #expect(outcome == .uploaded)
    #expect(registry.count(.put) == 1)
    #expect(registry.count(.post) == 2)
  }

  @Test("T11: a registry that takes all and says nothing is asked whether it has it")
  func silent() async throws {
    let registry = FakeRegistry { kind, number, _ in
      kind == .put && number == 0 ? .afterwards(.init(isSilent: true)) : nil
    }
    let bench = try RegistryBench(), blob = try SampleBlob()
    let file = try bench.bench.directory.write("blob", blob.bytes)
    try await registry.run { server in
      var settings = bench.settings(server)
      settings.network.commitTimeout = .seconds(2)
      try await bench.with(server, settings: settings) {
        try await $0.upload(blob.descriptor, from: file, item: "blob")
      }
    }
    #expect(registry.log == [.post, .put, .look])
  }

  @Test("T12: an answer that comes before the body is through counts, not the closed connection")
  func earlyRefusal() async throws {
    let registry = FakeRegistry(), blob = try SampleBlob(32 << 20)
    let bench = try RegistryBench()
    do {
      try await push(
        blob, to: registry, bench: bench,
        early: { $0.method == "PUT" ? .status(403, body: error("DENIED")) : nil })
      Issue.record("403 is no success")
    } catch let failure as RegistryFailure {
      #expect(failure.kind == .denied)
      #expect(failure.description.contains("DENIED"))
    }
    #expect(registry.count(.look) == 1)
  }

  @Test("U4: a session that the registry forgot is replaced, three at most")
  func uploadUnknown() async throws {
    let once = FakeRegistry { kind, number, _ in
      kind == .put && number == 0 ? .status(404, body: error("BLOB_UPLOAD_UNKNOWN")) : nil
    }
    #expect(try await push(try SampleBlob(), to: once) == .uploaded)
    #expect(once.log == [.look, .post, .put, .look, .cancel, .post, .put])
    let always = FakeRegistry { kind, _, _ in
      [.put, .patch].contains(kind) ? .status(404, body: error("BLOB_UPLOAD_UNKNOWN")) : nil
    }
    let found = try await failure(try SampleBlob(), to: always)
    #expect(found.description.contains("BLOB_UPLOAD_UNKNOWN"))
    #expect(always.count(.post) == 3)
    #expect(always.openSessions == 0)
  }

  @Test("U5: bytes that were damaged on the way are sent once more")
  func digestInvalid() async throws {
    let once = FakeRegistry { kind, number, _ in
      kind == .put && number == 0 ? .status(400, body: error("DIGEST_INVALID")) : nil
    }
    #expect(try await push(try SampleBlob(), to: once) == .uploaded)
    #expect(once.count(.put) == 2)
    let always = FakeRegistry { kind, _, _ in
      kind == .put ? .status(400, body: error("DIGEST_INVALID")) : nil
    }
    #expect(try await failure(try SampleBlob(), to: always).description.contains("DIGEST_INVALID"))
    #expect(always.count(.put) == 2)
  }

  @Test("U6: a registry that commits under another digest has not taken the blob")
  func otherDigest() async throws {
    let other = try Digest.sha256(of: [1])
    let registry = FakeRegistry { kind, _, _ in
      kind == .put ? .status(201, [("Docker-Content-Digest", "\(other)")]) : nil
    }
    let blob = try SampleBlob()
    let found = try await failure(blob, to: registry)
    #expect(found.problem == .digestMismatch(expected: blob.descriptor.digest, found: other))
    #expect(found.kind == .data)
  }

  @Test("U7: a success that is not the one to expect is looked after", arguments: [200, 202, 204])
  func otherSuccess(status: Int) async throws {
    let taken = FakeRegistry { kind, _, _ in
      kind == .put ? .afterwards(.status(status)) : nil
    }
    #expect(try await push(try SampleBlob(), to: taken) == .uploaded)
    #expect(taken.log == [.look, .post, .put, .look])
    let lost = FakeRegistry { kind, _, _ in
      [.put, .patch].contains(kind) ? .status(status) : nil
    }
    _ = try await failure(try SampleBlob(), to: lost)
  }

  @Test("U15: a blob that shows a while after it was taken is waited for")
  func eventually() async throws {
    let registry = FakeRegistry { kind, number, _ in
      if kind == .put { return .afterwards(.status(202)) }
      return kind == .look && (1...2).contains(number) ? .status(404) : nil
    }
    let bench = try RegistryBench()
    #expect(try await push(try SampleBlob(), to: registry, bench: bench) == .uploaded)
    #expect(registry.log == [.look, .post, .put, .look, .look, .look])
    #expect(bench.waits.count == 2)
  }

  @Test("S4: a registry that is busy for ever is asked five times")
  func tooManyRequests() async throws {
    let registry = FakeRegistry { kind, _, _ in
      kind == .put ? .status(429, [("Retry-After", "2")]) : nil
    }
    let found = try await failure(try SampleBlob(), to: registry)
    #expect(found.kind == .unavailable)
    #expect(registry.count(.put) == 5)
    #expect(registry.openSessions == 0)
  }

  @Test("S10: 307 is followed with the body, 302 is refused")
  func redirects() async throws {
    let moved = FakeRegistry { kind, _, request in
      kind == .put && !request.uri.contains("moved")
        ? .status(307, [("Location", request.uri + "&moved=1")]) : nil
    }
    let blob = try SampleBlob()
    #expect(try await push(blob, to: moved) == .uploaded)
    #expect(moved.blob(blob.descriptor.digest) == blob.bytes)
    let found = FakeRegistry { kind, _, _ in
      kind == .put ? .status(302, [("Location", "/elsewhere")]) : nil
    }
    #expect(try await failure(blob, to: found).kind == .protocolBroken)
    #expect(found.count(.put) == 1)
  }

  @Test("A3: a token that runs out while bytes are sent is renewed, in the same session")
  func expiredToken() async throws {
    let bench = try RegistryBench(), blob = try SampleBlob()
    let file = try bench.bench.directory.write("blob", blob.bytes)
    let tokens = Mutex(0)
    let registry = FakeRegistry { kind, number, request in
      if request.uri.hasPrefix("/token") {
        let next = tokens.withLock {
          $0 += 1; return $0
        }
        return .instead(.json(#"{"token":"t\#(next)"}"#))
      }
      let isGood =
        kind == .put
        ? request["Authorization"] == "Bearer t2"
        : request["Authorization"]?.hasPrefix("Bearer") == true
      return isGood
        ? nil : .status(401, [("WWW-Authenticate", #"Bearer realm="/token",service="r""#)])
    }
    try await registry.run { server in
      try await bench.with(server, credential: .sample) {
        try await $0.upload(blob.descriptor, from: file, item: "blob")
      }
    }
    #expect(registry.blob(blob.descriptor.digest) == blob.bytes)
    #expect(registry.openSessions == 0)
    #expect(registry.log.filter { $0 == .put }.count == 2)
  }

  // MARK: Chunks

  /// 2.5 MiB: after a 413, three chunks.
  private func large() throws -> SampleBlob { try SampleBlob(5 << 19) }
  private let tooLarge: @Sendable (Kind, FakeRegistry.Request) -> Bool = { kind, request in
    kind == .put && !request.body.isEmpty
  }

  @Test("U8: what is too large in one piece goes in chunks")
  func tooLargeWhole() async throws {
    let registry = FakeRegistry { [tooLarge] kind, _, request in
      tooLarge(kind, request) ? .status(413) : nil
    }
    let blob = try large(), bench = try RegistryBench()
    let file = try bench.bench.directory.write("blob", blob.bytes)
    try await registry.run { server in
      try await bench.with(server) {
        try await $0.upload(blob.descriptor, from: file, item: "blob")
      }
      let patches = server.requests.filter { $0.method == "PATCH" }
      #expect(patches.map { $0["Content-Range"] } == ["0-1310719", "1310720-2621439"])
      #expect(patches.allSatisfy { $0["Content-Type"] == "application/octet-stream" })
    }
    #expect(registry.log == [.post, .put, .cancel, .post, .patch, .patch, .put])
    #expect(registry.blob(blob.descriptor.digest) == blob.bytes)
  }

  @Test("U8: chunks are halved as long as they are too large, down to 1 MiB")
  func halving() async throws {
    let limit = 3 << 20
    let registry = FakeRegistry { kind, _, request in
      request.body.count > limit ? .status(413) : nil
    }
    let blob = try SampleBlob(9 << 20)
    #expect(try await push(blob, to: registry) == .uploaded)
    #expect(registry.blob(blob.descriptor.digest) == blob.bytes)
    let hopeless = FakeRegistry { kind, _, request in
      !request.body.isEmpty ? .status(413) : nil
    }
    let found = try await failure(try large(), to: hopeless)
    #expect(found.description.contains("status 413"))
    #expect(hopeless.openSessions == 0)
  }

  @Test("U9: who answers 201 to a chunk gets all in one PUT, now and later")
  func noChunks() async throws {
    let registry = FakeRegistry { kind, number, _ in
      if kind == .patch { return .status(201) }
      return kind == .put && number < 2 ? .status(502) : nil
    }
    let bench = try RegistryBench()
    let blob = try SampleBlob(), other = try SampleBlob(1234)
    let file = try bench.bench.directory.write("blob", blob.bytes)
    let otherFile = try bench.bench.directory.write("other", other.bytes)
    try await registry.run { server in
      try await bench.with(server) { client in
        try await client.upload(blob.descriptor, from: file, item: "blob")
        try await client.upload(other.descriptor, from: otherFile, item: "other")
      }
    }
    #expect(registry.count(.patch) == 1)
    #expect(registry.blob(blob.descriptor.digest) == blob.bytes)
  }

  @Test("U12: a cut chunk goes on where the registry stands")
  func cutChunk() async throws {
    let registry = FakeRegistry { [tooLarge] kind, number, request in
      if tooLarge(kind, request) { return .status(413) }
      return kind == .patch && number == 1 ? .resetAfterwards : nil
    }
    let blob = try large()
    #expect(try await push(blob, to: registry) == .uploaded)
    #expect(
      registry.log == [.look, .post, .put, .cancel, .post, .patch, .patch, .status, .put])
    #expect(registry.blob(blob.descriptor.digest) == blob.bytes)
  }

  // MARK: The end

  @Test(
    "U22: a file that is not what it was is never taken whole", arguments: ["changed", "short"])
  func corrupt(how: String) async throws {
    let registry = FakeRegistry(), bench = try RegistryBench(), blob = try SampleBlob(2 << 20)
    var bytes = blob.bytes
    if how == "short" { bytes.removeLast(700_000) } else { bytes[5] ^= 1 }
    let file = try bench.bench.directory.write("blob", bytes)
    try await registry.run { server in
      let found = await bench.failure {
        try await bench.with(server) {
          try await $0.upload(blob.descriptor, from: file, item: "blob")
        }
      }
      #expect(found?.problem == .localCorruption(path: file.string))
      #expect(found?.kind == .data)
    }
    #expect(registry.blob(blob.descriptor.digest) == nil)
    #expect(registry.count(.post) == 1)
    #expect(registry.count(.cancel) == 1)
  }

  @Test("U28: who is told to stop closes the upload first")
  func cancelled() async throws {
    let registry = FakeRegistry { kind, _, _ in
      kind == .put ? .instead(.init(isSilent: true)) : nil
    }
    let bench = try RegistryBench(), blob = try SampleBlob()
    let file = try bench.bench.directory.write("blob", blob.bytes)
    try await registry.run { server in
      let push = Task {
        try await bench.with(server) {
          try await $0.upload(blob.descriptor, from: file, item: "blob")
        }
      }
      while registry.count(.put) == 0 { try await Task.sleep(for: .milliseconds(5)) }
      push.cancel()
      await #expect(throws: CancellationError.self) { try await push.value }
    }
    #expect(registry.log == [.post, .put, .cancel])
    #expect(registry.openSessions == 0)
  }

  @Test(
    "U21: what a registry says to a closed upload changes nothing", .timeLimit(.minutes(1)),
    arguments: [404, 405, 500, 0])
  func closingFails(status: Int) async throws {
    let registry = FakeRegistry { kind, number, _ in
      if kind == .cancel { return status == 0 ? .instead(.init(isSilent: true)) : .status(status) }
      return kind == .put && number == 0 ? .status(404) : nil
    }
    #expect(try await push(try SampleBlob(), to: registry) == .uploaded)
  }
}
