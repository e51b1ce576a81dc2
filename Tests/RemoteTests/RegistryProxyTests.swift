import Bindings
import Credentials
import OCISpec
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Remote

/// Registries behind proxies, and those that only a proxy makes look as if they were elsewhere.
@Suite struct RegistryProxyTests {
  private let bench: RegistryBench

  init() throws { bench = try RegistryBench() }

  private func settings(_ proxy: String, for variables: [String]) -> RegistrySettings {
    var settings = bench.settings()
    settings.network.proxies = ProxySettings { variables.contains($0) ? proxy : nil }
    return settings
  }

  private func pull(
    _ host: String, _ settings: RegistrySettings, credential: FoundCredential? = nil
  ) async -> RegistryFailure? {
    await bench.failure {
      try await withRegistries(
        settings, credentials: CredentialProvider { _, _ in credential },
        reporter: bench.bench.reporter
      ) {
        let repository = try Repository(parsing: "\(host)/team/app")
        _ = try await $0.repository(repository).manifest(.tag("v1"))
      }
    }
  }

  /// A trust store with an authority that nobody uses, for connections that never get so far.
  private func trustingNobody(_ settings: RegistrySettings) throws -> RegistrySettings {
    var settings = settings
    let authority = try PrivateAuthority(in: bench.bench.directory.path).certificate.string
    settings.network.trust = TrustStore(
      environment: { $0 == "SSL_CERT_FILE" ? authority : nil }, exists: { _ in false })
    return settings
  }

  @Test(
    "T16: a proxy that wants a password is an error at once that says where to put it",
    .enabled(if: peers("openssl")), arguments: [true, false])
  func wantsPassword(_ isSecure: Bool) async throws {
    try await ScriptedServer.run({ _ in .status(407) }) { proxy in
      var settings = try trustingNobody(
        settings("joe:s3cret@127.0.0.1:\(proxy.port)", for: ["HTTP_PROXY", "HTTPS_PROXY"]))
      if !isSecure { settings.plainHTTP = ["registry.test"] }
      let failure = await pull(isSecure ? "registry.test" : "registry.test:80", settings)
      #expect(failure?.kind == .denied, "\(String(describing: failure))")
      #expect(failure?.description.contains("HTTPS_PROXY or HTTP_PROXY") == true)
      #expect(failure?.description.contains("s3cret") == false)
      #expect(proxy.requests.count == 1, "\(proxy.lines)")
      #expect(bench.waits.isEmpty)
    }
  }

  @Test(
    "T16: a proxy that opens no tunnel is asked five times", .enabled(if: peers("openssl")),
    arguments: [502, 503, 403])
  func refuses(_ status: Int) async throws {
    try await ScriptedServer.run({ _ in .status(status) }) { proxy in
      let settings = try trustingNobody(
        settings("127.0.0.1:\(proxy.port)", for: ["HTTPS_PROXY"]))
      let failure = await pull("registry.test", settings)
      #expect(failure?.problem == .network(.proxyRefused))
      #expect(failure?.kind == .unavailable)
      #expect(proxy.requests.map(\.uri) == Array(repeating: "registry.test:443", count: 5))
      #expect(bench.waits.count == 4)
    }
  }

  @Test(
    "T16: a proxy that says nothing is given up after its time", .enabled(if: peers("openssl")),
    .timeLimit(.minutes(1)))
  func hangs() async throws {
    try await ScriptedServer.run({ _ in .init(isSilent: true) }) { proxy in
      var settings = try trustingNobody(
        settings("127.0.0.1:\(proxy.port)", for: ["HTTPS_PROXY"]))
      settings.network.connectTimeout = .milliseconds(200)
      let failure = await pull("registry.test", settings)
      #expect(failure?.kind == .unavailable)
      #expect(failure?.attempts == 5)
      // The last one may still be on its way.
      #expect((4...5).contains(proxy.requests.count))
    }
  }

  @Test("T16: a host of NO_PROXY is asked directly")
  func exception() async throws {
    let manifest = try SampleManifest()
    try await ScriptedServer.run({ _ in .status(502) }) { proxy in
      try await ScriptedServer.run({ _ in manifest.answer() }) { server in
        var settings = bench.settings(server)
        settings.network.proxies = ProxySettings {
          ["HTTP_PROXY": "127.0.0.1:\(proxy.port)", "NO_PROXY": "example.com,127.0.0.0/8"][$0]
        }
        settings.network.proxies.sparesLoopback = false
        #expect(await pull("127.0.0.1:\(server.port)", settings) == nil)
        #expect(proxy.requests.isEmpty)
        #expect(server.requests.count == 2)
      }
    }
  }

  @Test("T16: a dead proxy is named, and tried like a dead host")
  func dead() async throws {
    let port = try await ScriptedServer.run({ _ in .ok }) { $0.port }
    var settings = settings("joe:s3cret@127.0.0.1:\(port)", for: ["HTTP_PROXY"])
    settings.plainHTTP = ["registry.test"]
    let failure = await pull("registry.test:80", settings)
    #expect(failure?.kind == .unavailable)
    #expect(failure?.attempts == 5)
    let text = failure?.description ?? ""
    #expect(text.contains("the proxy 127.0.0.1:\(port) (from HTTP_PROXY)"), "\(text)")
    #expect(!text.contains("s3cret"))
  }

  @Test("A7: a token service at another public host is asked")
  func realmElsewhere() async throws {
    let manifest = try SampleManifest()
    let script: @Sendable (ScriptedServer.Request) -> ScriptedServer.Answer = { request in
      if request.uri.hasPrefix("http://tokens.test/") { return .json(#"{"token":"t1"}"#) }
      guard request["Authorization"] == "Bearer t1" else {
        let challenge = #"Bearer realm="http://tokens.test/get?x=1",service=s"#
        return .status(401, [("WWW-Authenticate", challenge)])
      }
      return manifest.answer()
    }
    try await ScriptedServer.run(script) { proxy in
      var settings = settings("127.0.0.1:\(proxy.port)", for: ["HTTP_PROXY"])
      settings.plainHTTP = ["registry.test"]
      #expect(await pull("registry.test:80", settings) == nil)
      let tokens = proxy.requests.filter { $0.uri.hasPrefix("http://tokens.test/") }
      #expect(
        tokens.map(\.uri) == [
          "http://tokens.test/get?x=1&service=s&scope=repository%3Ateam%2Fapp%3Apull"
        ])
      #expect(tokens.allSatisfy { $0["Authorization"] == nil }, "anonymously")
      #expect(proxy.requests.count == 3)
    }
  }

  @Test(
    "A7: a token service over plain http of a registry over https is refused, and not asked",
    .enabled(if: peers("nginx", "openssl")))
  func plainRealm() async throws {
    try await ScriptedServer.run({ _ in .json(#"{"token":"t1"}"#) }) { service in
      let challenge = #"Bearer realm=\"http://localhost:\#(service.port)/token\",service=s"#
      let locations = """
        location / { add_header WWW-Authenticate "\(challenge)" always; return 401; }
        """
      try await Nginx.run(locations: locations) { nginx in
        var settings = bench.settings()
        settings.network.trust = TrustStore(
          environment: { $0 == "SSL_CERT_FILE" ? nginx.authority.string : nil },
          exists: { _ in false })
        let failure = await pull(
          "localhost:\(nginx.securePort)", settings, credential: .sample)
        #expect(failure?.kind == .protocolBroken)
        #expect(
          failure?.description.contains("speaks plain http, the registry https") == true,
          "\(String(describing: failure))")
        #expect(service.requests.isEmpty)
        #expect(failure?.attempts == 1)
      }
    }
  }
}
