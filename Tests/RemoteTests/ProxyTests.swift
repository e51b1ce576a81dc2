import Foundation
import OCISpec
import Remote
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite struct ProxyTests {
  private func settings(_ bench: Bench, _ proxy: String) -> NetworkSettings {
    var settings = bench.settings
    settings.proxies = ProxySettings { name in
      ["HTTP_PROXY", "HTTPS_PROXY"].contains(name) ? proxy : nil
    }
    settings.proxies.sparesLoopback = false
    return settings
  }

  @Test("T16: plain http goes to the proxy with its full URL and the proxy's credentials")
  func forward() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try await ScriptedServer.run({ .file(bytes, for: $0) }) { proxy in
      let settings = settings(bench, "http://joe:secret@127.0.0.1:\(proxy.port)")
      try await bench.download("http://origin.test/a?b", expecting: digest, settings: settings)
      #expect(proxy.requests.map(\.uri) == ["http://origin.test/a?b"])
      let basic = "Basic \(Data("joe:secret".utf8).base64EncodedString())"
      #expect(proxy.requests[0]["Proxy-Authorization"] == basic)
      #expect(proxy.requests[0]["Authorization"] == nil)
    }
    #expect(!bench.events.withLock { "\($0)" }.contains("secret"))
  }

  @Test("T16: a proxy that wants a password is an error at once that says where to put it")
  func wantsPassword() async throws {
    let bench = try Bench(), (_, digest) = try sample()
    try await ScriptedServer.run({ _ in .init(status: 407) }) { proxy in
      for url in ["http://origin.test/a"] {
        let settings = settings(bench, "127.0.0.1:\(proxy.port)")
        let error = await bench.failure(url, expecting: digest, settings: settings)
        #expect((error as? FetchError)?.kind == .denied)
        #expect("\(error, default: "")".contains("HTTPS_PROXY"))
        #expect(proxy.requests.count == 1)
      }
    }
  }

  @Test("T16: a proxy that is not there is named, with its variable and without its password")
  func dead() async throws {
    let bench = try Bench(), (_, digest) = try sample()
    let port = try await ScriptedServer.run({ _ in .init() }) { $0.port }
    let settings = settings(bench, "joe:secret@127.0.0.1:\(port)")
    let error = await bench.failure(
      "http://origin.test/a", expecting: digest, settings: settings)
    let text = "\(error, default: "")"
    #expect(
      text.contains("connecting to the proxy 127.0.0.1:\(port) (from HTTP_PROXY): "), "\(text)")
    #expect(!text.contains("secret"))
    #expect((error as? FetchError)?.kind == .unavailable)
    #expect(bench.notices.count == 4, "one line for each new attempt")
  }

  @Test("T16: https goes through a tunnel", .enabled(if: peers("nginx", "openssl")))
  func tunnel() async throws {
    let bench = try Bench(), (bytes, digest) = try sample()
    try await Nginx.run { nginx in
      try nginx.directory.write("www/a", bytes)
      try await TunnelProxy.run { proxy in
        var settings = settings(bench, "http://joe:secret@127.0.0.1:\(proxy.port)")
        settings.trust = TrustStore(
          environment: { $0 == "SSL_CERT_FILE" ? nginx.authority.string : nil },
          exists: { _ in true })
        try await bench.download(nginx.url("/a"), expecting: digest, settings: settings)
        #expect(proxy.requests.count == 1)
        #expect(proxy.requests[0].hasPrefix("CONNECT localhost:\(nginx.securePort) HTTP/1.1\r\n"))
        #expect(proxy.requests[0].lowercased().contains("proxy-authorization: basic "))
      }
    }
    #expect(try bench.content(digest) == bytes)
  }

  @Test(
    "T16: a tunnel that the proxy does not open", .enabled(if: peers("openssl")),
    arguments: [
      (407, FailureKind.denied, 1), (502, .unavailable, 5),
    ])
  func noTunnel(_ status: Int, kind: FailureKind, count: Int) async throws {
    let bench = try Bench(), (_, digest) = try sample()
    let bundle = bench.directory.path.appending("ca.pem").string
    #expect(
      try run(
        "openssl",
        [
          "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=a", "-keyout", "/dev/null",
          "-out", bundle,
        ]
      ).status == 0)
    try await ScriptedServer.run({ _ in .init(status: status) }) { proxy in
      var settings = settings(bench, "127.0.0.1:\(proxy.port)")
      settings.trust = TrustStore(
        environment: { $0 == "SSL_CERT_FILE" ? bundle : nil }, exists: { _ in true })
      let error = await bench.failure(
        "https://origin.test/a", expecting: digest, settings: settings)
      #expect((error as? FetchError)?.kind == kind)
      #expect(!"\(error, default: "")".contains("connecting to the proxy"))
      #expect(proxy.requests.map(\.uri) == Array(repeating: "origin.test:443", count: count))
    }
  }
}
