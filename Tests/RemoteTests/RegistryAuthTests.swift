import Credentials
import Foundation
import NIOCore
import NIOHTTP1
import OCISpec
import Reporting
import Synchronization
import Testing

@testable import Remote

@Suite struct RegistryAuthTests {
  /// A registry that gives a manifest to whoever shows `Bearer t…`, and its token service at `/token`.
  private func tokenRegistry(
    _ manifest: SampleManifest, challenge: String? = nil,
    token: @escaping @Sendable (ScriptedServer.Request) -> ScriptedServer.Answer = { _ in
      .json(#"{"token":"t1"}"#)
    }
  ) -> @Sendable (ScriptedServer.Request) -> ScriptedServer.Answer {
    let text = challenge ?? #"Bearer realm="/token",service="reg""#
    return { request in
      if request.uri.hasPrefix("/token") { return token(request) }
      guard request["Authorization"]?.hasPrefix("Bearer t") == true else {
        return .status(401, [("WWW-Authenticate", text)])
      }
      return request.uri == "/v2/" ? .ok : manifest.answer()
    }
  }

  @Test("Basic goes to who asks for it, from the first request on")
  func basic() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let expected = "Basic " + Data("ada:s3cret".utf8).base64EncodedString()
    let script: @Sendable (ScriptedServer.Request) -> ScriptedServer.Answer = { request in
      request["Authorization"] == expected
        ? manifest.answer() : .status(401, [("WWW-Authenticate", #"Negotiate, Basic realm="x""#)])
    }
    try await ScriptedServer.run(script) { server in
      try await bench.with(server, credential: .sample) { client in
        _ = try await client.manifest(.tag("v1"))
        _ = try await client.manifest(.tag("v1"))
      }
      #expect(server.requests.map { $0["Authorization"] } == [nil, expected, expected])
      #expect(!bench.said.contains("s3cret"))
    }
  }

  @Test("a token is asked for with service, scope and account, by GET")
  func tokenRequest() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    try await ScriptedServer.run(tokenRegistry(manifest)) { server in
      try await bench.with(server, credential: .sample) {
        _ = try await $0.manifest(.tag("v1"))
      }
      #expect(
        server.lines == [
          "GET /v2/",
          "GET /token?service=reg&scope=repository%3Ateam%2Fapp%3Apull&account=ada",
          "GET /v2/team/app/manifests/v1",
        ])
      #expect(server.requests[1]["Authorization"]?.hasPrefix("Basic ") == true)
    }
  }

  @Test("A1: a registry that refuses every token is given up, and the credential's source is named")
  func refusesAll() async throws {
    let bench = try RegistryBench()
    try await ScriptedServer.run({ request in
      request.uri.hasPrefix("/token")
        ? .json(#"{"token":"t1"}"#)
        : .status(
          401,
          [
            (
              "WWW-Authenticate",
              #"Bearer realm="/token",error="insufficient_scope",scope="repository:x\#(request.number):pull""#
            )
          ],
          body: #"{"errors":[{"code":"UNAUTHORIZED","message":"no"}]}"#)
    }) { server in
      let failure = await bench.failure {
        try await bench.with(server, credential: .sample) { try await $0.manifest(.tag("v1")) }
      }
      #expect(failure?.kind == .denied)
      #expect(
        failure?.problem
          == .denied(
            status: 401, [RegistryMessage(code: "UNAUTHORIZED", message: "no")], source: "the test")
      )
      #expect(server.lines.count { $0.hasSuffix("manifests/v1") } == 3)
      #expect(server.lines.count { $0.hasPrefix("GET /token") } == 3)
      #expect("\(failure.map(\.description) ?? "")".contains("ociforge auth 127.0.0.1"))
    }
  }

  @Test("A3: a token that ended early is replaced and the request sent again")
  func endedEarly() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let tokens = Mutex(0)
    try await ScriptedServer.run({ request in
      if request.uri.hasPrefix("/token") {
        return .json(#"{"token":"t\#(tokens.withLock { $0 += 1; return $0 })"}"#)
      }
      let good = "Bearer t\(request.number > 3 ? 2 : 1)"
      guard request["Authorization"] == good else {
        return .status(401, [("WWW-Authenticate", #"Bearer realm="/token""#)])
      }
      return manifest.answer()
    }) { server in
      try await bench.with(server) { client in
        _ = try await client.manifest(.tag("v1"))
        _ = try await client.manifest(.tag("v1"))
        _ = try await client.manifest(.tag("v1"))
      }
      #expect(server.requests.count { $0.uri.hasPrefix("/token") } == 2)
      #expect(server.requests.count == 7)
    }
  }

  @Test(
    "A4: a token lives a minute at least, and is renewed before its last tenth",
    arguments: [
      (#""expires_in":0"#, 54), (#""expires_in":-7"#, 54), (#""issued_at":"nonsense""#, 54),
      (#""expires_in":"x""#, 54), (#""expires_in":300,"issued_at":"2020-01-01T00:00:00Z""#, 270),
    ])
  func lifetime(_ members: String, _ seconds: Int) async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let script = tokenRegistry(manifest) { _ in .json(#"{"token":"t1",\#(members)}"#) }
    try await ScriptedServer.run(script) { server in
      try await bench.with(server) { client in
        func tokens() -> Int { server.requests.count { $0.uri.hasPrefix("/token") } }
        _ = try await client.manifest(.tag("v1"))
        bench.uptime.withLock { $0 += .seconds(seconds) - .milliseconds(1) }
        _ = try await client.manifest(.tag("v1"))
        #expect(tokens() == 1)
        bench.uptime.withLock { $0 += .milliseconds(1) }
        _ = try await client.manifest(.tag("v1"))
        #expect(tokens() == 2)
      }
    }
  }

  @Test(
    "A5: what a token service may answer",
    arguments: [
      (#"{"access_token":"t1"}"#, true), (#"{"token":"t1","access_token":"t2"}"#, true),
      ("{}", false), ("<html>hello</html>", false), (#"{"token":"t1\nX: y"}"#, false),
      (#"{"token":""}"#, false),
      (String(repeating: " ", count: 5 << 20) + #"{"token":"t1"}"#, false),
    ])
  func tokenAnswers(_ text: String, _ isGood: Bool) async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let script = tokenRegistry(manifest) { _ in .json(text) }
    try await ScriptedServer.run(script) { server in
      let failure = await bench.failure {
        try await bench.with(server) { try await $0.manifest(.tag("v1")) }
      }
      #expect((failure == nil) == isGood)
      if !isGood { #expect(failure?.kind == .protocolBroken || failure?.kind == .data) }
      #expect(server.requests.count { $0.uri.hasPrefix("/token") } == 1)
    }
  }

  @Test(
    "A6: an identity token is posted; where that is not known it is asked for with GET once",
    arguments: [404, 405, 400, 401])
  func identityToken(_ status: Int) async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let script = tokenRegistry(manifest) { request in
      request.method == "POST" ? .status(status) : .json(#"{"token":"t1"}"#)
    }
    let credential = FoundCredential(
      .identityToken(user: "ada", Secret("a+b/c")), source: "the test")
    try await ScriptedServer.run(script) { server in
      try await bench.with(server, credential: credential) {
        _ = try await $0.manifest(.tag("v1"))
      }
      let asked = server.requests.filter { $0.uri.hasPrefix("/token") }
      #expect(asked.map(\.method) == ["POST", "GET"])
      #expect(
        String(decoding: asked[0].body, as: UTF8.self)
          == "grant_type=refresh_token&refresh_token=a%2Bb%2Fc&service=reg&client_id=ociforge&scope=repository%3Ateam%2Fapp%3Apull"
      )
      #expect(asked[0].uri == "/token")
      #expect(!bench.said.contains("a+b/c"))
    }
  }

  @Test(
    "A7: where a token service may be",
    arguments: [
      ("http://169.254.169.254/token", false), ("http://10.0.0.1/token", false),
      ("https://u:p@tokens.example/token", false), ("ftp://tokens.example/", false),
      ("/token?x=1", true), ("token", true),
    ])
  func realms(_ realm: String, _ isAllowed: Bool) async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let script = tokenRegistry(manifest, challenge: #"Bearer realm="\#(realm)",service=s"#)
    let withPath: @Sendable (ScriptedServer.Request) -> ScriptedServer.Answer = { request in
      request.uri.hasPrefix("/v2/token") ? .json(#"{"token":"t1"}"#) : script(request)
    }
    try await ScriptedServer.run(withPath) { server in
      let failure = await bench.failure {
        try await bench.with(server) { try await $0.manifest(.tag("v1")) }
      }
      #expect((failure == nil) == isAllowed, "\(String(describing: failure))")
      if !isAllowed {
        #expect(failure?.kind == .protocolBroken)
        #expect(failure?.description.contains("u:p") == false)
      }
      if realm.contains("?") {
        #expect(
          server.lines.contains("GET /token?x=1&service=s&scope=repository%3Ateam%2Fapp%3Apull"))
      }
    }
  }

  @Test(
    "A8: a token service that refuses is final, one that is busy is asked again",
    arguments: [401, 403, 429, 503])
  func tokenStatus(_ status: Int) async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let count = Mutex(0)
    let script = tokenRegistry(manifest) { _ in
      count.withLock {
        $0 += 1; return $0
      } <= 2 ? .status(status) : .json(#"{"token":"t1"}"#)
    }
    try await ScriptedServer.run(script) { server in
      let failure = await bench.failure {
        try await bench.with(server, credential: .sample) { try await $0.manifest(.tag("v1")) }
      }
      if status < 404 {
        #expect(failure?.problem == .denied(status: status, [], source: "the test"))
        #expect(count.withLock { $0 } == 1)
      } else {
        #expect(failure == nil)
        #expect(count.withLock { $0 } == 3)
      }
    }
  }

  @Test("A8: a token service that says nothing is given up after its time")
  func silentTokenService() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let script = tokenRegistry(manifest) { _ in .init(isSilent: true) }
    try await ScriptedServer.run(script) { server in
      var settings = bench.settings(server)
      settings.tokenTimeout = .milliseconds(100)
      let failure = await bench.failure { [settings] in
        try await bench.with(server, settings: settings) { try await $0.manifest(.tag("v1")) }
      }
      #expect(failure?.problem == .network(.stalled))
      #expect(failure?.attempts == 5)
    }
  }

  @Test("A9: a scope that the registry misses is asked for once")
  func insufficientScope() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    try await ScriptedServer.run({ request in
      if request.uri.hasPrefix("/token") {
        return .json(#"{"token":"\#(request.uri.contains("base") ? "wide" : "narrow")"}"#)
      }
      guard request["Authorization"] == "Bearer wide" else {
        return .status(
          401,
          [
            (
              "WWW-Authenticate",
              #"Bearer realm="/token",error="insufficient_scope",scope="repository:base:pull""#
            )
          ])
      }
      return manifest.answer()
    }) { server in
      try await bench.with(server) { _ = try await $0.manifest(.tag("v1")) }
      #expect(
        server.lines.filter { $0.contains("token") } == [
          "GET /token?scope=repository%3Ateam%2Fapp%3Apull",
          "GET /token?scope=repository%3Ateam%2Fapp%3Apull&scope=repository%3Abase%3Apull",
        ])
    }
  }

  @Test("A10: where the token service refuses what a mount needs, the push goes on without it")
  func refusedScope() async throws {
    let bench = try RegistryBench()
    try await ScriptedServer.run({ request in
      if request.uri.hasPrefix("/token") {
        return request.uri.contains("base") ? .status(403) : .json(#"{"token":"t1"}"#)
      }
      let isGood = request["Authorization"] == "Bearer t1" && !request.uri.contains("mount")
      return isGood
        ? .status(202)
        : .status(
          401, [("WWW-Authenticate", #"Bearer realm="/token",scope="repository:base:pull""#)])
    }) { server in
      let statuses = try await bench.with(server, credential: .sample) {
        client async throws -> [Int] in
        let push = TokenScope.push(client.repository)
        let pull = TokenScope(resource: "repository:base", actions: ["pull"])
        let mount = try client.request(
          .POST, "blobs/uploads/?mount=x&from=base", activity: "pushing", scopes: [push, pull])
        let start = try client.request(
          .POST, "blobs/uploads/", activity: "pushing", scopes: [push])
        let refused = try await client.transport.send(mount)
        let started = try await client.transport.send(start)
        return [refused.status, started.status]
      }
      #expect(statuses == [401, 202])
      let tokens = server.lines.filter { $0.contains("/token") }
      #expect(tokens.count == 2)
      #expect(tokens.first?.contains("base") == true)
    }
  }

  @Test("A11: the scope that matters stands first")
  func firstScope() async throws {
    let bench = try RegistryBench()
    try await ScriptedServer.run({ request in
      guard request.uri.hasPrefix("/token") else {
        return request["Authorization"] == "Bearer push"
          ? .status(202) : .status(401, [("WWW-Authenticate", #"Bearer realm="/token""#)])
      }
      // This service looks at the first scope alone.
      let first = request.uri.split(separator: "&").first ?? ""
      return .json(#"{"token":"\#(first.hasSuffix("push") ? "push" : "pull")"}"#)
    }) { server in
      try await bench.with(server) { client in
        let base = Repository(registry: client.repository.registry, path: "base")
        let request = try client.request(
          .POST, "blobs/uploads/", activity: "pushing",
          scopes: [.push(client.repository), .pull(base)])
        let response = try await client.transport.send(request)
        #expect(response.status == 202)
      }
    }
  }

  @Test("A12: a 401 without a challenge is answered with the one that came before")
  func silentChallenge() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    try await ScriptedServer.run({ request in
      if request.uri.hasPrefix("/token") { return .json(#"{"token":"t\#(request.number)"}"#) }
      if request.uri == "/v2/" {
        return .status(401, [("WWW-Authenticate", #"Bearer realm="/token""#)])
      }
      // The token of the first request has been withdrawn when the second comes.
      let isGood = request["Authorization"] == (request.number < 3 ? "Bearer t1" : "Bearer t4")
      return isGood ? manifest.answer() : .status(401)
    }) { server in
      try await bench.with(server) { client in
        _ = try await client.manifest(.tag("v1"))
        _ = try await client.manifest(.tag("v1"))
      }
      #expect(server.requests.count == 6)
    }
  }

  @Test("A13: a challenge that comes with 200 is answered from the first request on")
  func challengeWith200() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    try await ScriptedServer.run({ request in
      request.uri == "/v2/"
        ? .status(200, [("WWW-Authenticate", "basic realm=zot")]) : manifest.answer()
    }) { server in
      try await bench.with(server, credential: .sample) { _ = try await $0.manifest(.tag("v1")) }
      #expect(server.real.map { $0["Authorization"] != nil } == [true])
    }
  }

  @Test("A14: 100 requests at once greet once and fetch one token")
  func manyAtOnce() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let script = tokenRegistry(manifest) { _ in
      .init(body: Array(#"{"token":"t1"}"#.utf8), delay: .milliseconds(50))
    }
    try await ScriptedServer.run(script) { server in
      try await bench.with(server, credential: .sample) { client in
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<100 { group.addTask { _ = try await client.manifest(.tag("v1")) } }
          try await group.waitForAll()
        }
      }
      #expect(server.lines.count { $0 == "GET /v2/" } == 1)
      #expect(server.lines.count { $0.hasPrefix("GET /token") } == 1)
      #expect(server.real.count == 101)
    }
  }

  @Test("A14: a token service that refuses 100 requests at once is asked once")
  func manyRefused() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let script = tokenRegistry(manifest) { _ in .init(status: 403, delay: .milliseconds(200)) }
    try await ScriptedServer.run(script) { server in
      try await bench.with(server) { client in
        await withTaskGroup(of: Bool.self) { group in
          for _ in 0..<100 {
            group.addTask { await bench.failure { try await client.manifest(.tag("v1")) } != nil }
          }
          for await failed in group { #expect(failed) }
        }
      }
      #expect(server.lines.count { $0.hasPrefix("GET /token") } == 1)
    }
  }

  @Test(
    "who waits for a token and is cancelled goes at once; who fetched it and is cancelled is replaced"
  )
  func cancelled() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let script = tokenRegistry(manifest) { request in
      .init(body: Array(#"{"token":"t1"}"#.utf8), isSilent: request.number == 1)
    }
    try await ScriptedServer.run(script) { server in
      try await bench.with(server) { client in
        let first = Task { try await client.manifest(.tag("v1")) }
        while server.requests.count < 2 { try await Task.sleep(for: .milliseconds(2)) }
        let second = Task { try await client.manifest(.tag("v1")) }
        let third = Task { try await client.manifest(.tag("v1")) }
        try await Task.sleep(for: .milliseconds(20))
        third.cancel()
        await #expect(throws: CancellationError.self) { _ = try await third.value }
        first.cancel()
        _ = try await second.value
        #expect(server.lines.count { $0.hasPrefix("GET /token") } == 2)
      }
    }
  }

  @Test("A15: a credential is for its own registry, whatever another one asks")
  func otherPort() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let script: @Sendable (ScriptedServer.Request) -> ScriptedServer.Answer = { request in
      request["Authorization"] == nil
        ? .status(401, [("WWW-Authenticate", "Basic realm=x")]) : manifest.answer()
    }
    try await ScriptedServer.run(script) { first in
      try await ScriptedServer.run(script) { second in
        let own = try Repository(parsing: "127.0.0.1:\(first.port)/team/app")
        let other = try Repository(parsing: "127.0.0.1:\(second.port)/team/app")
        let provider = CredentialProvider { asked, _ in asked == own ? .sample : nil }
        var settings = bench.settings(first)
        settings.plainHTTP.insert("127.0.0.1:\(second.port)")
        try await withRegistries(
          settings, credentials: provider, reporter: bench.bench.reporter
        ) { registries in
          _ = try await registries.repository(own).manifest(.tag("v1"))
          let failure = await bench.failure {
            try await registries.repository(other).manifest(.tag("v1"))
          }
          #expect(failure?.problem == .denied(status: 401, [], source: nil))
        }
        #expect(second.requests.allSatisfy { $0["Authorization"] == nil })
      }
    }
  }

  @Test("a credential that was refused is replaced by a fresher one where there is one")
  func renewed() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    let fresh = FoundCredential(.basic(user: "AWS", password: Secret("new")), source: "ecr")
    let good = "Basic " + Data("AWS:new".utf8).base64EncodedString()
    try await ScriptedServer.run({ request in
      if request["Authorization"] == good { return manifest.answer() }
      // ECR says 403 to a token that has ended.
      return request["Authorization"] == nil
        ? .status(401, [("WWW-Authenticate", "Basic realm=x")]) : .status(403)
    }) { server in
      let repository = try Repository(parsing: "127.0.0.1:\(server.port)/team/app")
      let provider = CredentialProvider { _, rejected in rejected == nil ? .sample : fresh }
      try await withRegistries(
        bench.settings(server), credentials: provider, reporter: bench.bench.reporter
      ) { registries in
        let client = registries.repository(repository)
        _ = try await client.manifest(.tag("v1"))
        _ = try await client.manifest(.tag("v1"))
      }
      #expect(server.real.count == 3)
    }
  }

  @Test("A7: a password does not go over plain http to another machine unless that is wanted")
  func plaintextCredential() async throws {
    let bench = try RegistryBench(), manifest = try SampleManifest()
    try await ScriptedServer.run({ request in
      request["Authorization"] == nil
        ? .status(401, [("WWW-Authenticate", "Basic realm=x")]) : manifest.answer()
    }) { proxy in
      // The proxy stands for a registry that is not on loopback.
      var settings = bench.settings()
      settings.plainHTTP = ["registry.test:5000"]
      settings.network.proxies = ProxySettings { name in
        name == "HTTP_PROXY" ? "127.0.0.1:\(proxy.port)" : nil
      }
      let repository = try Repository(parsing: "registry.test:5000/team/app")
      func pull(_ settings: RegistrySettings) async throws {
        try await withRegistries(
          settings, credentials: CredentialProvider { _, _ in .sample },
          reporter: bench.bench.reporter
        ) { _ = try await $0.repository(repository).manifest(.tag("v1")) }
      }
      let failure = await bench.failure { [settings] in try await pull(settings) }
      #expect(failure?.problem == .plaintextCredential(source: "the test"))
      #expect(proxy.requests.allSatisfy { $0["Authorization"] == nil })
      settings.allowsPlaintextCredentials = true
      try await pull(settings)
    }
  }
}
