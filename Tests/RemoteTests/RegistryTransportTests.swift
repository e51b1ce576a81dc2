import Bindings
import Credentials
import Foundation
import NIOCore
import NIOHTTP1
import OCISpec
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Remote

private typealias Script = @Sendable (ScriptedServer.Request) -> ScriptedServer.Answer

/// Answers greetings and closes their connections, so that what follows begins on a new one.
private func behindGreeting(_ script: @escaping Script) -> Script {
  { $0.uri == "/v2/" ? .status(200, [("Connection", "close")]) : script($0) }
}

@Suite struct RegistryTransportTests {
  /// Pulls a manifest by its tag.
  private func pull(
    _ bench: RegistryBench, _ server: ScriptedServer, settings: RegistrySettings? = nil
  ) async -> RegistryFailure? {
    await bench.failure {
      try await bench.with(server, settings: settings) { try await $0.manifest(.tag("v1")) }
    }
  }

  @Test("T1: a registry that comes up late is waited for, a little longer each time")
  func comesUpLate() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let first = try await ScriptedServer { _ in .ok }
    let port = first.port
    try await first.stop()
    let late = Mutex<ScriptedServer?>(nil)
    var settings = bench.settings()
    settings.plainHTTP = ["127.0.0.1:\(port)"]
    settings.network.pause.sleep = { wait in
      let count = bench.bench.waits.withLock {
        $0.append(wait); return $0.count
      }
      guard count == 2 else { return }
      let server = try await ScriptedServer(port: port) { _ in manifest.answer() }
      late.withLock { $0 = server }
    }
    let repository = try Repository(parsing: "127.0.0.1:\(port)/team/app")
    try await withRegistries(settings, credentials: .anonymous, reporter: .silent) {
      _ = try await $0.repository(repository).manifest(.tag("v1"))
    }
    #expect(bench.waits == [.milliseconds(250), .milliseconds(500)])
    #expect(late.withLock { $0?.requests.count } == 2)
    try await late.withLock { $0 }?.stop()
  }

  @Test("T2: a connection that is reset before the answer is tried five times")
  func resetBeforeAnswer() async throws {
    let bench = try RegistryBench()
    let script = behindGreeting { _ in .init(dropAfter: -1, isReset: true) }
    try await ScriptedServer.run(script) { server in
      let failure = await pull(bench, server)
      #expect(failure?.attempts == 5)
      #expect(failure?.kind == .unavailable)
      #expect(server.real.count == 5)
      #expect(bench.waits.count == 4)
    }
  }

  @Test("T7: an answer that comes a byte at a time is given up as if nothing came")
  func trickle() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    try await ScriptedServer.run({ request in
      var answer = manifest.answer()
      if request.uri != "/v2/" { answer.trickle = .milliseconds(20) }
      return answer
    }) { server in
      var settings = bench.settings(server)
      settings.network.idleTimeout = .milliseconds(300)
      settings.network.retries.attemptLimit = 1
      let failure = await pull(bench, server, settings: settings)
      #expect(failure?.problem == .network(.stalled))
    }
  }

  @Test("T8: a registry that stops reading is noticed")
  func stopsReading() async throws {
    let bench = try RegistryBench()
    let file = try bench.bench.directory.write("blob", [UInt8](repeating: 7, count: 24 << 20))
    let listener = try await SilentListener()
    var settings = bench.settings()
    settings.plainHTTP = ["127.0.0.1:\(listener.port)"]
    settings.network.idleTimeout = .milliseconds(300)
    let repository = try Repository(parsing: "127.0.0.1:\(listener.port)/team/app")
    try await withRegistries(settings, credentials: .anonymous, reporter: .silent) { registries in
      var request = try registries.repository(repository).request(
        .PUT, "blobs/uploads/x", activity: "pushing")
      request.body = .file(.init(path: file, byteCount: 24 << 20))
      do {
        _ = try await registries.transport.exchange(request)
        Issue.record("it ended well")
      } catch let failure as TransferFailure { #expect(failure.fault == .stalled) }
    }
    try await listener.stop()
  }

  @Test("T11: a commit may take longer than other answers, and no longer than it may")
  func patience() async throws {
    let bench = try RegistryBench()
    try await ScriptedServer.run({
      $0.uri == "/v2/" ? .ok : .init(delay: .milliseconds($0.uri.hasSuffix("slow") ? 600 : 3000))
    }) { server in
      var settings = bench.settings(server)
      settings.network.idleTimeout = .milliseconds(200)
      settings.network.commitTimeout = .milliseconds(1500)
      try await bench.with(server, settings: settings) { client in
        var request = try client.request(.PUT, "blobs/uploads/slow", activity: "pushing")
        request.body = .bytes([1, 2, 3])
        await #expect(throws: TransferFailure.self) {
          _ = try await client.transport.exchange(request)
        }
        request.patience = .commit
        #expect(try await client.transport.exchange(request).status == 200)
        request.url = try client.request(.PUT, "blobs/uploads/slower", activity: "pushing").url
        do {
          _ = try await client.transport.exchange(request)
          Issue.record("it ended well")
        } catch let failure as TransferFailure { #expect(failure.fault == .stalled) }
      }
    }
  }

  @Test(
    "T12: an answer that comes before the body has gone counts, not the broken pipe",
    arguments: [401, 413])
  func earlyAnswer(_ status: Int) async throws {
    let bench = try RegistryBench()
    let file = try bench.bench.directory.write("blob", [UInt8](repeating: 7, count: 24 << 20))
    let text = "HTTP/1.1 \(status) No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
    let listener = try await SilentListener(answering: text)
    var settings = bench.settings()
    settings.plainHTTP = ["127.0.0.1:\(listener.port)"]
    let repository = try Repository(parsing: "127.0.0.1:\(listener.port)/team/app")
    try await withRegistries(settings, credentials: .anonymous, reporter: .silent) { registries in
      var request = try registries.repository(repository).request(
        .PUT, "blobs/uploads/x", activity: "pushing")
      request.body = .file(.init(path: file, byteCount: 24 << 20))
      let response = try await registries.transport.exchange(request)
      #expect(response.status == status)
    }
    try await listener.stop()
  }

  @Test("T13: a kept connection that the server has closed is replaced without a word")
  func reusedConnection() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    try await ScriptedServer.run({ request in
      request.numberInConnection == 0 ? manifest.answer() : .init(dropAfter: -1)
    }) { server in
      try await bench.with(server) { client in
        for _ in 0..<4 { _ = try await client.manifest(.tag("v1")) }
      }
      #expect(bench.waits.isEmpty)
      #expect(server.requests.count == 5 + 4)
    }
  }

  @Test("T14: a certificate that nobody vouches for is final, and never a reason for plain http")
  func unknownAuthority() async throws {
    let bench = try RegistryBench()
    try await Nginx.run { nginx in
      let other = try await Nginx.run { try FileSystem.readAll($0.authority, limit: 1 << 20) }
      let file = try bench.bench.directory.write("other.pem", other)
      let failure = await pullFromNginx(bench, "localhost:\(nginx.securePort)", trusting: file)
      guard case .network(.certificateRejected) = failure?.problem else {
        Issue.record("\(String(describing: failure))")
        return
      }
      #expect(failure?.attempts == 1)
      #expect(nginx.accessLog.isEmpty)
    }
  }

  @Test("T14: a certificate for another name is final, and never a reason for plain http")
  func otherName() async throws {
    let bench = try RegistryBench()
    try await Nginx.run { nginx in
      let failure = await pullFromNginx(
        bench, "127.0.0.1:\(nginx.securePort)", trusting: nginx.authority)
      #expect(failure?.problem == .network(.certificateForOthers(host: "127.0.0.1")))
      #expect(failure?.attempts == 1)
      #expect(nginx.accessLog.isEmpty)
    }
  }

  @Test("T14: with --tls-verify=false both are taken, and that is said once")
  func unverified() async throws {
    let bench = try RegistryBench()
    try await Nginx.run(locations: "location = /v2/ { return 200; }") { nginx in
      let host = "127.0.0.1:\(nginx.securePort)"
      let failure = await pullFromNginx(bench, host, trusting: nginx.authority, verifies: false)
      #expect(failure?.isNotFound == true)
      #expect(
        bench.warnings == [
          "the certificate of \(host) is not checked: whoever is on the way may stand in for it"
        ])
    }
  }

  private func pullFromNginx(
    _ bench: RegistryBench, _ host: String, trusting file: FilePath, verifies: Bool = true,
    certificates: FilePath? = nil
  ) async -> RegistryFailure? {
    var settings = bench.settings()
    settings.verifiesCertificates = verifies
    settings.network.certificateFolders = certificates.map { [$0] } ?? []
    settings.network.trust = TrustStore(
      environment: { $0 == "SSL_CERT_FILE" ? file.string : nil }, exists: { _ in false })
    return await bench.failure { [settings] in
      let repository = try Repository(parsing: "\(host)/team/app")
      try await withRegistries(
        settings, credentials: .anonymous, reporter: bench.bench.reporter
      ) { _ = try await $0.repository(repository).manifest(.tag("v1")) }
    }
  }

  @Test(
    "certs.d: a folder with the host's name and port brings the authority and what the client shows"
  )
  func certificateFolder() async throws {
    let bench = try RegistryBench()
    let locations =
      "ssl_verify_client optional_no_ca; location /v2/ { if ($ssl_client_verify = NONE) { return 403; } return 200; }"
    try await Nginx.run(locations: locations) { nginx in
      let other = try await Nginx.run { try FileSystem.readAll($0.authority, limit: 1 << 20) }
      let unrelated = try bench.bench.directory.write("other.pem", other)
      let host = "localhost:\(nginx.securePort)"
      let folder = "certs/\(host)"
      let authority = try FileSystem.readAll(nginx.authority, limit: 1 << 20)
      try bench.bench.directory.write("\(folder)/ca.crt", authority)
      let roots = bench.bench.directory.path.appending("certs")
      var failure = await pullFromNginx(
        bench, host, trusting: unrelated, certificates: roots)
      #expect(failure?.kind == .denied, "without a certificate of ours")
      for (name, copy) in [("server.pem", "me.cert"), ("server.key", "me.key")] {
        let bytes = try FileSystem.readAll(
          nginx.directory.path.appending(name), limit: 1 << 20)
        try bench.bench.directory.write("\(folder)/\(copy)", bytes)
      }
      failure = await pullFromNginx(bench, host, trusting: unrelated, certificates: roots)
      #expect(
        failure?.kind == .protocolBroken,
        "the answer is no manifest: \(String(describing: failure))")
    }
  }

  @Test("T15: plain http on loopback is found out")
  func plainOnLoopback() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    try await ScriptedServer.run({ _ in manifest.answer() }) { server in
      // This server says nothing at all to who begins with TLS.
      var settings = bench.settings()
      settings.network.connectTimeout = .seconds(1)
      let failure = await pull(bench, server, settings: settings)
      #expect(failure == nil)
      #expect(server.requests.last?.uri == "/v2/team/app/manifests/v1")
    }
  }

  @Test("T15: plain http elsewhere is not, and what to do is said")
  func plainElsewhere() async throws {
    let bench = try RegistryBench()
    let listener = try await SilentListener(
      answering: "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    try await TunnelProxy.run { proxy in
      var settings = bench.settings()
      settings.network.proxies = ProxySettings {
        $0 == "HTTPS_PROXY" ? "127.0.0.1:\(proxy.port)" : nil
      }
      settings.network.trust = try await Nginx.run { nginx in
        let bytes = try FileSystem.readAll(nginx.authority, limit: 1 << 20)
        let file = try bench.bench.directory.write("ca.pem", bytes)
        return TrustStore(
          environment: { $0 == "SSL_CERT_FILE" ? file.string : nil }, exists: { _ in false })
      }
      let host = "registry.test:\(listener.port)"
      let failure = await bench.failure { [settings] in
        try await withRegistries(settings, credentials: .anonymous, reporter: .silent) {
          let repository = try Repository(parsing: "\(host)/team/app")
          _ = try await $0.repository(repository).manifest(.tag("v1"))
        }
      }
      #expect(failure?.problem == .network(.notTLS))
      #expect(failure?.description.contains("--plain-http \(host)") == true)
      #expect(proxy.requests.count == 1)
    }
    try await listener.stop()
  }

  @Test(
    "T17, T18, T20: answers that are odd, and those that are broken",
    arguments: [
      ("HTTP/1.0 200 OK\r\n\r\n{}", "unsupported"),
      ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", "unsupported"),
      (
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "unsupported"
      ),
      ("HTTP/1.1 200 OK\r\nX: 1\r\nX: 2\r\nContent-Length: 2\r\n\r\n{}", "unsupported"),
      (
        "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 17 << 10)
          + "\r\nContent-Length: 2\r\n\r\n{}", "broken"
      ),
      (
        "HTTP/1.1 200 OK\r\n"
          + String(repeating: "X: \(String(repeating: "x", count: 1000))\r\n", count: 70)
          + "Content-Length: 2\r\n\r\n{}", "broken"
      ),
      ("HTTP/1.1 200 OK\r\n\u{1}\u{2}: x\r\nContent-Length: 2\r\n\r\n{}", "broken"),
      ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "broken"),
      ("HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}", "broken"),
      ("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}", "cut"),
      ("no HTTP at all\r\n\r\n", "broken"),
    ])
  func oddAnswers(_ raw: String, _ expected: String) async throws {
    let bench = try RegistryBench()
    let script = behindGreeting { _ in .init(raw: raw) }
    try await ScriptedServer.run(script) { server in
      let failure = await pull(bench, server)
      switch (expected, failure?.problem) {
      case ("unsupported", .unsupportedMediaType), ("broken", .network(.malformedResponse)),
        ("cut", .network(.cutOff)):
        break
      default: Issue.record("\(raw.prefix(60)): \(String(describing: failure))")
      }
      #expect(server.real.count <= 5)
    }
  }

  @Test("T19: a compressed answer is refused")
  func contentEncoding() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let script = behindGreeting { _ in
      var answer = manifest.answer()
      answer.headers.append(("Content-Encoding", "gzip"))
      return answer
    }
    try await ScriptedServer.run(script) { server in
      let failure = await pull(bench, server)
      #expect(failure?.kind == .protocolBroken)
      #expect(server.real.count == 1)
    }
  }

  @Test(
    "S1: a server in trouble is asked again, whatever is asked",
    arguments: [500, 502, 503, 504, 499, 522, 408, 425])
  func passingStatus(_ status: Int) async throws {
    let bench = try RegistryBench()
    let counts = Mutex<[String: Int]>([:])
    try await ScriptedServer.run({ request in
      if request.uri == "/v2/" { return .ok }
      let count = counts.withLock {
        $0[request.method, default: 0] += 1; return $0[request.method]
      }
      return count == 3 ? .status(202) : .status(status)
    }) { server in
      try await bench.with(server) { client in
        for method in [HTTPMethod.GET, .HEAD, .POST, .PUT, .PATCH, .DELETE] {
          let request = try client.request(method, "x", activity: "asking")
          #expect(try await client.transport.send(request).status == 202)
        }
      }
      #expect(counts.withLock { Set($0.values) } == [3])
    }
  }

  @Test(
    "S1: codes make a 500 final and a 400 passing",
    arguments: [
      (500, "UNSUPPORTED", 1), (500, "DENIED", 1), (500, "UNKNOWN", 5), (400, "UNAVAILABLE", 5),
      (400, "MANIFEST_INVALID", 1), (404, "UNKNOWN", 1), (403, "DENIED", 1),
    ])
  func codes(_ status: Int, _ code: String, _ count: Int) async throws {
    let bench = try RegistryBench()
    let body = #"{"errors":[{"code":"\#(code)"}]}"#
    try await ScriptedServer.run({ $0.uri == "/v2/" ? .ok : .status(status, body: body) }) {
      server in
      let failure = await pull(bench, server)
      #expect(failure?.attempts == count)
      #expect(server.real.count == count)
    }
  }

  @Test(
    "S2: how long to wait is the server's to say, where it makes sense",
    arguments: [
      ("2", Duration.seconds(2)), ("Thu, 01 Jan 1970 00:00:03 GMT", .seconds(3)),
      ("abc", .milliseconds(250)), ("-5", .milliseconds(250)),
    ])
  func retryAfter(_ text: String, _ wait: Duration) async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    try await ScriptedServer.run({ request in
      request.number == 1 ? .status(503, [("Retry-After", text)]) : manifest.answer()
    }) { server in
      #expect(await pull(bench, server) == nil)
      #expect(bench.waits == [wait])
    }
  }

  @Test("S2: a wait longer than anyone sits through is told at once")
  func longRetryAfter() async throws {
    let bench = try RegistryBench()
    let script = behindGreeting { _ in .status(429, [("Retry-After", "86400")]) }
    try await ScriptedServer.run(script) { server in
      let failure = await pull(bench, server)
      #expect(failure?.problem == .askedToWait(status: 429, .seconds(86400)))
      #expect(server.real.count == 1)
    }
  }

  @Test("S3: while a host wants a pause nobody asks it")
  func gate() async throws {
    let bench = try RegistryBench()
    let isFirst = Mutex(true)
    try await ScriptedServer.run({ request in
      if request.uri == "/v2/" { return .ok }
      let isFirst = isFirst.withLock { first in
        defer { first = false }
        return first
      }
      return isFirst ? .status(429, [("Retry-After", "1")]) : .init(delay: .milliseconds(100))
    }) { server in
      var settings = bench.settings(server)
      settings.network.pause = .system
      try await bench.with(server, settings: settings) { client in
        let request = try client.request(.PUT, "x", activity: "pushing")
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<8 {
            group.addTask {
              let status = try await client.transport.send(request).status
              #expect(status == 200)
            }
          }
          while bench.bench.notices.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
          for _ in 0..<8 {
            group.addTask {
              let status = try await client.transport.send(request).status
              #expect(status == 200)
            }
          }
          try await group.waitForAll()
        }
      }
      // What was on its way when the answer came is not called back; what came to be sent later waits.
      #expect(server.real.count == 17)
      #expect(server.real[8...].allSatisfy { $0.time - server.real[0].time >= 1 })
    }
  }

  @Test("S4: a registry whose limit is used up is asked five times, and the limit is shown")
  func rateLimit() async throws {
    let bench = try RegistryBench()
    let script = behindGreeting { _ in
      .status(
        429, [("ratelimit-limit", "100;w=21600"), ("ratelimit-remaining", "0;w=21600")],
        body: #"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"#)
    }
    try await ScriptedServer.run(script) { server in
      let failure = await pull(bench, server)
      #expect(server.real.count == 5)
      let text = failure?.description ?? ""
      for part in [
        "ratelimit-limit: 100", "TOOMANYREQUESTS", "429", "5 attempts", "GET http://127",
      ] {
        #expect(text.contains(part), "\(text)")
      }
    }
  }

  @Test(
    "S5: whatever an error's body is, the status is told and nothing reaches the terminal raw",
    arguments: ["page", "empty", "huge", "no UTF-8", "null", "nested"])
  func errorBodies(_ kind: String) async throws {
    let body: [UInt8] =
      switch kind {
      case "page": Array("<html><title>Bad \u{1B}[31mGateway</title></html>".utf8)
      case "huge": [UInt8](repeating: 0x41, count: 10 << 20)
      case "no UTF-8": [0xFF, 0xFE, 0x00]
      case "null": Array(#"{"errors":null}"#.utf8)
      case "nested": Array(#"{"errors":[{"detail":{"a":[1]}}]}"#.utf8)
      default: []
      }
    let bench = try RegistryBench()
    try await ScriptedServer.run({ $0.uri == "/v2/" ? .ok : .init(status: 400, body: body) }) {
      server in
      let failure = await pull(bench, server)
      let text = failure?.description ?? ""
      #expect(text.contains("status 400"))
      #expect(text.utf8.count < 4096)
      #expect(!text.contains("\u{1B}"))
    }
  }

  @Test("S6: a page of a captive portal is no manifest")
  func captivePortal() async throws {
    let bench = try RegistryBench()
    let page = ScriptedServer.Answer(
      headers: [("Content-Type", "text/html")], body: Array("<html>log in</html>".utf8))
    try await ScriptedServer.run({ _ in page }) { server in
      let failure = await pull(bench, server)
      #expect(failure?.kind == .protocolBroken)
      let resolved = await bench.failure {
        try await bench.with(server) { try await $0.resolve(.tag("v1")) }
      }
      #expect(resolved?.kind == .protocolBroken)
    }
  }

  @Test(
    "S7: redirects that lead nowhere end",
    arguments: [
      ("loop", RedirectProblem.loop, 2), ("away", .tooMany(10), 11), ("nothing", .noLocation, 1),
    ])
  func redirects(_ kind: String, _ expected: RedirectProblem, _ count: Int) async throws {
    let bench = try RegistryBench()
    let script = behindGreeting { request in
      switch kind {
      case "loop":
        .status(302, [("Location", request.uri == "/b" ? "/v2/team/app/manifests/v1" : "/b")])
      case "away": .status(302, [("Location", "/\(request.number)")])
      default: .status(302)
      }
    }
    try await ScriptedServer.run(script) { server in
      guard case .redirectRefused(_, let problem) = await pull(bench, server)?.problem else {
        Issue.record("not refused")
        return
      }
      #expect(problem == expected)
      #expect(server.real.count == count)
    }
  }

  @Test(
    "S9: redirects to where nobody may be sent are refused, and nobody goes there",
    arguments: [
      ("http://169.254.169.254/latest", RedirectProblem.toLocalAddress),
      ("http://127.0.0.1/x", .toLocalAddress), ("http://localhost/x", .toLocalAddress),
      ("http://10.0.0.1/x", .toPrivateAddress), ("http://[fd00::1]/x", .toPrivateAddress),
      ("file:///etc/passwd", .unusable("file:///etc/passwd", .scheme)),
      ("javascript:alert(1)", .unusable("javascript:alert(1)", .scheme)),
    ])
  func forbiddenRedirects(_ location: String, _ expected: RedirectProblem) async throws {
    let bench = try RegistryBench()
    // The server is the proxy of a registry elsewhere.
    try await ScriptedServer.run({
      $0.uri.hasSuffix("/v2/") ? .ok : .status(307, [("Location", location)])
    }) { proxy in
      var settings = bench.settings()
      settings.plainHTTP = ["registry.test"]
      settings.network.proxies = ProxySettings {
        $0 == "HTTP_PROXY" ? "127.0.0.1:\(proxy.port)" : nil
      }
      let failure = await bench.failure { [settings] in
        try await withRegistries(settings, credentials: .anonymous, reporter: .silent) {
          let repository = try Repository(parsing: "registry.test:80/team/app")
          _ = try await $0.repository(repository).manifest(.tag("v1"))
        }
      }
      guard case .redirectRefused(_, let problem) = failure?.problem else {
        Issue.record("\(String(describing: failure))")
        return
      }
      #expect(problem == expected)
      #expect(proxy.requests.count == 2)
    }
  }

  @Test("S9: a redirect from https to plain http is refused, also on loopback")
  func downgrade() async throws {
    let bench = try RegistryBench()
    try await ScriptedServer.run({ _ in .ok }) { server in
      let locations =
        "location = /v2/ { return 200; } location / { return 307 http://localhost:\(server.port)/x; }"
      try await Nginx.run(locations: locations) { nginx in
        let failure = await pullFromNginx(
          bench, "localhost:\(nginx.securePort)", trusting: nginx.authority)
        guard case .redirectRefused(_, .toPlainHTTP) = failure?.problem else {
          Issue.record("\(String(describing: failure))")
          return
        }
        #expect(server.requests.isEmpty)
      }
    }
  }

  @Test("S10: 307 and 308 send the body again, 302 and 303 do not")
  func redirectedBody() async throws {
    let bench = try RegistryBench()
    try await ScriptedServer.run({ request in
      switch request.uri {
      case "/v2/", "/there": .ok
      default: .status(Int(request.uri.suffix(3)) ?? 0, [("Location", "/there")])
      }
    }) { server in
      try await bench.with(server) { client in
        for (status, isRepeated) in [(307, true), (308, true), (302, false), (303, false)] {
          for method in [HTTPMethod.POST, .PUT, .PATCH] {
            var request = try client.request(method, "x/\(status)", activity: "pushing")
            request.body = .bytes([1, 2, 3])
            if isRepeated {
              #expect(try await client.transport.send(request).status == 200)
            } else {
              let failure = await bench.failure { [request] in
                try await client.transport.send(request)
              }
              #expect(
                failure?.problem
                  == .redirectRefused(
                    to: nil, .notRepeatable(status: status, method: method.rawValue)))
            }
          }
        }
      }
      let there = server.requests.filter { $0.uri == "/there" }
      #expect(there.count == 6)
      #expect(there.allSatisfy { $0.body == [1, 2, 3] })
    }
  }

  @Test("S13: warnings are shown once each and change nothing")
  func registryWarnings() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    try await ScriptedServer.run({ _ in
      var answer = manifest.answer()
      answer.headers += (0..<50).map { ("Warning", #"299 - "old \#($0 % 2)""#) }
      answer.headers.append(("Warning", "nonsense"))
      return answer
    }) { server in
      try await bench.with(server) { client in
        _ = try await client.manifest(.tag("v1"))
        _ = try await client.manifest(.tag("v1"))
      }
      let name = "127.0.0.1:\(server.port)"
      #expect(bench.warnings == ["\(name) says: old 0", "\(name) says: old 1"])
    }
  }

  @Test(
    "B.1: what a greeting may be answered with",
    arguments: [(404, 1), (405, 1), (403, 1), (500, 5), (503, 5)])
  func greeting(_ status: Int, _ count: Int) async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    try await ScriptedServer.run({ $0.uri == "/v2/" ? .status(status) : manifest.answer() }) {
      server in
      let failure = await pull(bench, server)
      #expect(failure?.problem == (status == 404 ? .notARegistry : nil))
      #expect(server.lines.count { $0 == "GET /v2/" } == count)
    }
  }

  @Test("offline: nothing is opened")
  func offline() async throws {
    let bench = try RegistryBench()
    try await ScriptedServer.run({ _ in .ok }) { server in
      var settings = bench.settings(server)
      settings.network.isOffline = true
      #expect(await pull(bench, server, settings: settings)?.problem == .offline)
      #expect(server.requests.isEmpty)
    }
  }

  @Test("services: AWS_CA_BUNDLE brings the authority for them and for nobody else")
  func servicesBundle() async throws {
    let bench = try RegistryBench()
    try await Nginx.run(locations: "location / { return 418; }") { nginx in
      let other = try await Nginx.run { try FileSystem.readAll($0.authority, limit: 1 << 20) }
      let file = try bench.bench.directory.write("other.pem", other)
      var settings = bench.settings()
      settings.network.trust = TrustStore(
        environment: { $0 == "SSL_CERT_FILE" ? file.string : nil }, exists: { _ in false })
      func ask(_ settings: NetworkSettings) async throws -> Int {
        try await withServiceExchange(settings) { exchange in
          let answer = try await exchange(ServiceRequest("GET", nginx.url("/")))
          return answer.status
        }
      }
      let untrusting = settings.network
      await #expect(throws: FetchError.self) { _ = try await ask(untrusting) }
      settings.network.awsAuthorities = nginx.authority
      let status = try await ask(settings.network)
      #expect(status == 418)
      let host = "localhost:\(nginx.securePort)"
      let failure = await bench.failure { [settings] in
        try await withRegistries(settings, credentials: .anonymous, reporter: .silent) {
          let repository = try Repository(parsing: "\(host)/team/app")
          _ = try await $0.repository(repository).manifest(.tag("v1"))
        }
      }
      guard case .network(.certificateRejected) = failure?.problem else {
        Issue.record("\(String(describing: failure))")
        return
      }
    }
  }

  @Test(
    "services: an answer is an answer, a redirect is not followed, too much and too late is refused"
  )
  func services() async throws {
    let bench = try RegistryBench()
    try await ScriptedServer.run({ request in
      switch request.uri {
      case "/redirect": .status(302, [("Location", "/other")])
      case "/silent": .init(isSilent: true)
      case "/slow": .init(body: Array("abcdefghijkl".utf8), trickle: .milliseconds(50))
      default: .status(418, [("X-Y", "z")], body: "hello")
      }
    }) { server in
      try await withServiceExchange(bench.settings().network) { exchange in
        func ask(_ path: String, limit: Int = 100) async throws -> ServiceResponse {
          try await exchange(
            ServiceRequest(
              "POST", server.url(path), headers: [("A", "b")], body: [1],
              timeout: .milliseconds(300),
              mayUseProxy: false, responseLimit: limit))
        }
        let response = try await ask("/")
        #expect((response.status, response["x-y"], response.body.count) == (418, "z", 5))
        #expect(server.requests[0]["A"] == "b")
        #expect(try await ask("/redirect").status == 302)
        await #expect(throws: FetchError.self) { _ = try await ask("/", limit: 4) }
        await #expect(throws: FetchError.self) { _ = try await ask("/silent") }
        await #expect(throws: FetchError.self) { _ = try await ask("/slow") }
      }
    }
  }
}
