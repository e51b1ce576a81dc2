import Bindings
import Foundation
import OCILayout
import OCISpec
import Remote
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite struct DownloaderTests {
  @Test("a file comes into the cache under its digest, and a second time nothing is asked")
  func fetches() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try await ScriptedServer.run({ .file(bytes, for: $0) }) { server in
      let got = try await bench.download(server.url("/a?token=secret"), expecting: digest)
      #expect(got == (digest, Int64(bytes.count)))
      try await bench.download(server.url("/a"), expecting: digest)
      #expect(server.requests.count == 1)
      #expect(server.requests[0].uri == "/a?token=secret")
      #expect(server.requests[0]["Accept-Encoding"] == "identity")
      #expect(server.requests[0]["Authorization"] == nil)
    }
    #expect(try bench.content(digest) == bytes)
    #expect(bench.files == ["blobs/sha256/\(digest.hex)"])
    let outcomes = bench.events.withLock { $0 }.compactMap { event in
      if case .finished(item: "a", let outcome) = event { outcome } else { nil }
    }
    #expect(outcomes.count == 2)
    #expect(outcomes.first?.hasPrefix("300.0 kB, ") == true)
    #expect(outcomes.last == "cached")
    #expect(!bench.events.withLock { "\($0)" }.contains("secret"))
  }

  @Test("a file that was damaged in the cache is fetched again, with a warning")
  func damaged() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    let name = "cache/blobs/sha256/\(digest.hex)"
    try bench.directory.write(name, bytes.dropLast() + [bytes[0] ^ 1])
    var offline = bench.settings
    offline.isOffline = true
    let error = await bench.failure("https://a.test/a", expecting: digest, settings: offline)
    #expect((error as? any Failure)?.kind == .data)
    #expect(
      "\(error, default: "")".contains("\(name)\": digest mismatch: expected \(digest), found "))
    try await ScriptedServer.run({ .file(bytes, for: $0) }) { server in
      try await bench.download(server.url("/a"), expecting: digest)
      #expect(server.requests.count == 1)
    }
    #expect(try bench.content(digest) == bytes)
    #expect(bench.files == ["blobs/sha256/\(digest.hex)"])
    let warnings = bench.events.withLock { $0 }.compactMap { event in
      if case .warning(let text) = event { text } else { nil }
    }
    #expect(
      warnings
        == ["the cached file \"\(bench.directory.path)/\(name)\" is damaged; fetching it again"])
    try await bench.download("https://a.test/a", expecting: digest, settings: offline)
  }

  @Test("a length is not needed")
  func chunked() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try await ScriptedServer.run({ _ in .init(body: bytes, isChunked: true) }) { server in
      try await bench.download(server.url("/a"), expecting: digest)
    }
    #expect(try bench.content(digest) == bytes)
  }

  @Test("other bytes than the digest says are an error with both digests, and nothing stays")
  func mismatch() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try await ScriptedServer.run({ .file(bytes + [0], for: $0) }) { server in
      let error = await bench.failure(server.url("/a?key=secret"), expecting: digest)
      let found = try Digest.sha256(of: bytes + [0])
      #expect((error as? FetchError)?.kind == .data)
      #expect(
        "\(error, default: "")"
          == "digest mismatch: fetching \(server.url("/a")): expected \(digest), got \(found) after 300001 bytes; the publisher changed the file, or someone on the way did"
      )
      #expect(server.requests.count == 1)
    }
    #expect(bench.files == [])
  }

  @Test("a cut body is fetched on from where it ended")
  func resumes() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try await ScriptedServer.run({ request in
      .file(bytes, for: request).dropping(after: request.number < 2 ? 100_000 : 300_000)
    }) { server in
      try await bench.download(server.url("/a"), expecting: digest)
      // Where exactly a cut body ends is the kernel's choice; each request begins after the one before.
      let starts = server.requests.map { Int($0["Range"]?.split { "=-".contains($0) }.last ?? "0") }
      #expect(
        starts.count == 3 && starts.compactMap { $0 } == Set(starts).compactMap { $0 }.sorted())
      #expect(server.requests.map { $0["If-Range"] } == [nil, "\"v1\"", "\"v1\""])
    }
    #expect(try bench.content(digest) == bytes)
    #expect(bench.files == ["blobs/sha256/\(digest.hex)"])
  }

  @Test("a cut body of a file without validator is fetched again from byte 0")
  func restarts() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try await ScriptedServer.run({ request in
      .file(bytes, for: request, tag: request.number == 1 ? "W/\"weak\"" : nil)
        .dropping(after: request.number < 2 ? 100_000 : 300_000)
    }) { server in
      try await bench.download(server.url("/a"), expecting: digest)
      #expect(server.requests.map { $0["Range"] } == [nil, nil, nil])
    }
    #expect(try bench.content(digest) == bytes)
  }

  @Test("a server that cuts every body is given up after 10 resumes")
  func resumeBudget() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try await ScriptedServer.run({ .file(bytes, for: $0).dropping(after: 1000) }) { server in
      let error = await bench.failure(server.url("/a"), expecting: digest)
      #expect((error as? FetchError)?.kind == .unavailable)
      #expect(server.requests.count == 11)
    }
    #expect(bench.files.count == 2, "the bytes stay for the next run")
  }

  @Test("what a killed process left is continued, not fetched again")
  func continuesPartial() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try bench.leavePartial(bytes.prefix(250_000), of: digest, validator: "ETag\n\"v1\"\n")
    try await ScriptedServer.run({ .file(bytes, for: $0) }) { server in
      try await bench.download(server.url("/a"), expecting: digest)
      #expect(server.requests.map { $0["Range"] } == ["bytes=250000-"])
    }
    #expect(try bench.content(digest) == bytes)
    #expect(bench.files == ["blobs/sha256/\(digest.hex)"])
  }

  @Test("what a killed process left without a validator is fetched again")
  func restartsPartial() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try bench.leavePartial(bytes.prefix(250_000), of: digest, validator: nil)
    try await ScriptedServer.run({ .file(bytes, for: $0) }) { server in
      try await bench.download(server.url("/a"), expecting: digest)
      #expect(server.requests.map { $0["Range"] } == [nil])
    }
    #expect(try bench.content(digest) == bytes)
  }

  @Test("where the file changed meanwhile, the server sends all of it and the prefix goes")
  func changedMeanwhile() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try bench.leavePartial([1, 2, 3], of: digest, validator: "ETag\n\"v0\"\n")
    try await ScriptedServer.run({ .file(bytes, for: $0) }) { server in
      try await bench.download(server.url("/a"), expecting: digest)
      #expect(server.requests.map { $0["Range"] } == ["bytes=3-"])
    }
    #expect(try bench.content(digest) == bytes)
  }

  @Test("a resumed download with a wrong digest is fetched once more as a whole")
  func refetchesResumed() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try bench.leavePartial([1, 2, 3], of: digest, validator: "ETag\n\"v1\"\n")
    try await ScriptedServer.run({ .file(bytes, for: $0) }) { server in
      try await bench.download(server.url("/a"), expecting: digest)
      #expect(server.requests.map { $0["Range"] } == ["bytes=3-", nil])
    }
    #expect(try bench.content(digest) == bytes)
  }

  @Test("a resumed download that is wrong as a whole too is an error after two requests")
  func refetchesOnce() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try bench.leavePartial([1, 2, 3], of: digest, validator: "ETag\n\"v1\"\n")
    try await ScriptedServer.run({ .file(bytes + [9], for: $0) }) { server in
      let error = await bench.failure(server.url("/a"), expecting: digest)
      #expect((error as? FetchError)?.kind == .data)
      #expect(server.requests.count == 2)
    }
    #expect(bench.files == [])
  }

  @Test(
    "an answer to a range that fits nothing starts the download over",
    arguments: [
      ("another start", 206, "bytes 7-299999/300000"), ("no Content-Range", 206, nil),
      ("several ranges", 206, "multipart"), ("a range beyond the end", 416, "bytes */10"),
      ("a refused range without a size", 416, nil),
    ] as [(String, Int, String?)])
  func oddRanges(_ name: String, status: Int, contentRange: String?) async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try bench.leavePartial(bytes.prefix(1000), of: digest, validator: "ETag\n\"v1\"\n")
    try await ScriptedServer.run({ request in
      guard request["Range"] != nil else { return .file(bytes, for: request) }
      let headers = contentRange.map { [("Content-Range", $0)] } ?? []
      return .init(status: status, headers: headers, body: Array(bytes[7...]))
    }) { server in
      try await bench.download(server.url("/a"), expecting: digest)
      #expect(server.requests.map { $0["Range"] } == ["bytes=1000-", nil])
    }
    #expect(try bench.content(digest) == bytes)
  }

  @Test("a partial file that is complete already needs no more bytes")
  func completePartial() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try bench.leavePartial(bytes, of: digest, validator: "ETag\n\"v1\"\n")
    try await ScriptedServer.run({ .file(bytes, for: $0) }) { server in
      try await bench.download(server.url("/a"), expecting: digest)
      #expect(server.requests.map { $0["Range"] } == ["bytes=300000-"])
    }
    #expect(try bench.content(digest) == bytes)
  }

  @Test(
    "faults that pass are waited out",
    arguments: [408, 425, 429, 500, 502, 503, 504, 522, -1] as [Int])
  func retries(_ status: Int) async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try await ScriptedServer.run({ request in
      guard request.number < 4 else { return .file(bytes, for: request) }
      return status > 0 ? .init(status: status) : .init(dropAfter: -1)
    }) { server in
      try await bench.download(server.url("/a"), expecting: digest)
      #expect(server.requests.count == 5)
    }
    let expected = [250, 500, 1000, 2000].map(Duration.milliseconds)
    #expect(bench.waits.withLock { $0 } == expected)
  }

  @Test("a server that stays broken is given up after 5 attempts")
  func givesUp() async throws {
    let bench = try Bench(), (_, digest) = try sample()
    try await ScriptedServer.run({ _ in .init(status: 503) }) { server in
      let error = await bench.failure(server.url("/a"), expecting: digest)
      #expect((error as? FetchError)?.kind == .unavailable)
      #expect(
        "\(error, default: "")"
          == "fetching \(server.url("/a")): status 503; gave up after 5 attempts")
      #expect(server.requests.count == 5)
    }
    #expect(bench.files == [])
  }

  @Test("the server's own wish for a wait is heeded, and refused where it is too long")
  func retryAfter() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try await ScriptedServer.run({ request in
      switch request.number {
      case 0: .init(status: 503, headers: [("Retry-After", "7")])
      case 1: .init(status: 429, headers: [("Retry-After", "Thu, 01 Jan 1970 00:01:30 GMT")])
      case 2: .file(bytes, for: request)
      default: .init(status: 429, headers: [("Retry-After", "3600")])
      }
    }) { server in
      try await bench.download(server.url("/a"), expecting: digest)
      #expect(bench.waits.withLock { $0 } == [.seconds(7), .seconds(90)])
      #expect(
        bench.notices == [
          "\(server.url("/a")): status 503; trying again in 7 s",
          "\(server.url("/a")): status 429; trying again in 90 s",
        ])
      let other = try Digest.sha256(of: [1])
      let error = await bench.failure(server.url("/b"), expecting: other)
      #expect("\(error, default: "")".contains("asks to wait 3600 s"))
      #expect(server.requests.count == 4)
    }
  }

  @Test(
    "answers that will not change are errors at once",
    arguments: [
      (400, .protocolBroken), (401, .denied), (403, .denied), (404, .notFound),
      (405, .protocolBroken),
      (407, .denied), (410, .notFound), (416, .protocolBroken), (505, .protocolBroken),
    ] as [(Int, FailureKind)])
  func fatalStatus(_ status: Int, kind: FailureKind) async throws {
    let bench = try Bench(), (_, digest) = try sample()
    try await ScriptedServer.run({ _ in .init(status: status, body: [1, 2]) }) { server in
      let error = await bench.failure(server.url("/a"), expecting: digest)
      #expect((error as? FetchError)?.kind == kind)
      #expect(server.requests.count == 1)
    }
  }

  @Test("an answer that answers nothing is asked for twice", arguments: [204, 206, 304, 305])
  func nonsense(_ status: Int) async throws {
    let bench = try Bench(), (_, digest) = try sample()
    try await ScriptedServer.run({ _ in .init(status: status) }) { server in
      let error = await bench.failure(server.url("/a"), expecting: digest)
      #expect((error as? FetchError)?.kind == .protocolBroken)
      #expect(server.requests.count == 2)
    }
  }

  @Test("a silent server is left after the idle time, five times")
  func silence() async throws {
    let bench = try Bench(), (_, digest) = try sample()
    var settings = bench.settings
    settings.idleTimeout = .milliseconds(100)
    try await ScriptedServer.run({ _ in .init(isSilent: true) }) { [settings] server in
      let error = await bench.failure(server.url("/a"), expecting: digest, settings: settings)
      #expect("\(error, default: "")".contains("stalled"))
      #expect((error as? FetchError)?.kind == .unavailable)
      #expect(server.requests.count == 5)
    }
  }

  @Test("a length that is too long is a cut body, one that is too short a wrong digest")
  func wrongLength() async throws {
    let bench = try Bench(), (bytes, digest) = try sample(1000)
    try await ScriptedServer.run({ request in
      request.uri == "/long"
        ? .init(body: bytes, length: 2000, dropAfter: 1000) : .init(body: bytes, length: 900)
    }) { server in
      let long = await bench.failure(server.url("/long"), expecting: digest)
      #expect("\(long, default: "")".contains("cut off"))
      #expect(server.requests.count == 5)
      let short = await bench.failure(server.url("/short"), expecting: digest)
      #expect((short as? FetchError)?.kind == .data)
      #expect(server.requests.count == 6)
    }
  }

  @Test("more than the limit is refused, told or untold")
  func tooLarge() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    var settings = bench.settings
    settings.maximumSize = 100_000
    try await ScriptedServer.run({ .init(body: bytes, isChunked: $0.uri == "/untold") }) {
      [settings] server in
      for path in ["/told", "/untold"] {
        let error = await bench.failure(server.url(path), expecting: digest, settings: settings)
        #expect((error as? FetchError)?.kind == .data)
        #expect("\(error, default: "")".contains("more than 100.0 kB"))
      }
    }
    #expect(bench.files == [])
  }

  @Test("a server that is not there is unavailable after 5 attempts")
  func refused() async throws {
    let bench = try Bench(), (_, digest) = try sample()
    let port = try await ScriptedServer.run({ _ in .init() }) { $0.port }
    let error = await bench.failure("http://127.0.0.1:\(port)/a", expecting: digest)
    #expect((error as? FetchError)?.kind == .unavailable)
    #expect("\(error, default: "")".contains("connecting: "))
    #expect(bench.waits.withLock { $0.count } == 4)
  }

  @Test("a host that does not exist is unavailable at once, with a way out")
  func noHost() async throws {
    let bench = try Bench(), (_, digest) = try sample()
    let error = await bench.failure("http://nowhere.invalid/a", expecting: digest)
    #expect((error as? FetchError)?.kind == .unavailable)
    // A machine without any resolver has no answer instead of a negative one.
    let text = "\(error, default: "")"
    #expect(text.contains("no such host \"nowhere.invalid\"") || text.contains("looking up"))
  }

  @Test("redirects are followed, credentials go to their own origin only")
  func redirects() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try await ScriptedServer.run({ .file(bytes, for: $0) }) { other in
      let target = other.url("/final?sig=1%2F2")
      try await ScriptedServer.run({ request in
        switch request.uri {
        case "/a": .init(status: 302, headers: [("Location", "b/./../c?x=1")])
        default: .init(status: 307, headers: [("Location", target)])
        }
      }) { server in
        try await bench.download(
          "http://joe:pa%20ss@127.0.0.1:\(server.port)/a", expecting: digest)
        #expect(server.requests.map(\.uri) == ["/a", "/c?x=1"])
        let basic = "Basic \(Data("joe:pa ss".utf8).base64EncodedString())"
        #expect(server.requests.map { $0["Authorization"] } == [basic, basic])
        #expect(other.requests.map(\.uri) == ["/final?sig=1%2F2"])
        #expect(other.requests[0]["Authorization"] == nil)
      }
    }
    #expect(try bench.content(digest) == bytes)
  }

  @Test("redirects in a circle or without end are refused")
  func endlessRedirects() async throws {
    let bench = try Bench(), (_, digest) = try sample()
    try await ScriptedServer.run({ request in
      let location = request.uri == "/loop" ? "/loop" : request.uri + "x"
      return .init(status: 301, headers: [("Location", location)])
    }) { server in
      let loop = await bench.failure(server.url("/loop"), expecting: digest)
      #expect("\(loop, default: "")".contains("circle"))
      #expect(server.requests.count == 1)
      let endless = await bench.failure(server.url("/"), expecting: digest)
      #expect("\(endless, default: "")".contains("more than 10"))
      #expect((endless as? FetchError)?.kind == .protocolBroken)
      #expect(server.requests.count == 12)
    }
  }

  @Test("without a digest plain http is refused before anything is sent")
  func unpinnedHTTP() async throws {
    let bench = try Bench()
    try await ScriptedServer.run({ _ in .init() }) { server in
      let error = await bench.failure(server.url("/a?x=secret"), expecting: nil)
      #expect((error as? FetchError)?.kind == .data)
      #expect(!"\(error, default: "")".contains("secret"))
      #expect(server.requests.isEmpty)
    }
  }

  @Test("two downloads of one file at once ask once")
  func sharedByTasks() async throws {
    let bench = try Bench(), (bytes, digest) = try sample(3_000_000)
    try await ScriptedServer.run({ .file(bytes, for: $0) }) { server in
      let url = server.url("/a")
      async let first = bench.download(url, expecting: digest)
      async let second = bench.download(url, expecting: digest)
      let sizes = try await [first.size, second.size]
      #expect(sizes == [3_000_000, 3_000_000])
      #expect(server.requests.count == 1)
    }
    #expect(bench.files == ["blobs/sha256/\(digest.hex)"])
  }
}
