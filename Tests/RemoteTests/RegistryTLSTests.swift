import Bindings
import Credentials
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import Remote

@Suite("Registry over TLS that is not in order", .enabled(if: peers("nginx", "openssl")))
struct RegistryTLSTests {
  private let bench: RegistryBench

  init() throws { bench = try RegistryBench() }

  private func pull(_ nginx: Nginx, verifies: Bool = true) async -> RegistryFailure? {
    var settings = bench.settings()
    settings.verifiesCertificates = verifies
    settings.network.trust = TrustStore(
      environment: { $0 == "SSL_CERT_FILE" ? nginx.authority.string : nil },
      exists: { _ in false })
    return await bench.failure { [settings] in
      let repository = try Repository(parsing: "localhost:\(nginx.securePort)/team/app")
      try await withRegistries(
        settings, credentials: .anonymous, reporter: bench.bench.reporter
      ) { _ = try await $0.repository(repository).manifest(.tag("v1")) }
    }
  }

  @Test("T14: a certificate that has expired is final, and never a reason for plain http")
  func expired() async throws {
    try await Nginx.run(days: -1) { nginx in
      let failure = await pull(nginx)
      guard case .network(.certificateRejected) = failure?.problem else {
        Issue.record("\(String(describing: failure))")
        return
      }
      #expect(failure?.attempts == 1)
      #expect(failure?.description.contains("expired") == true)
      #expect(bench.waits.isEmpty)
      #expect(nginx.accessLog.isEmpty)
      #expect(await pull(nginx, verifies: false)?.problem == .notARegistry)
    }
  }

  @Test("T14: a server that knows no TLS newer than 1.0 is final, also with --tls-verify=false")
  func oldProtocol() async throws {
    let old = "ssl_protocols TLSv1; ssl_ciphers ALL:@SECLEVEL=0;"
    try await Nginx.run(locations: old) { nginx in
      for verifies in [true, false] {
        let failure = await pull(nginx, verifies: verifies)
        #expect(failure?.problem == .network(.tlsFailed("no common TLS version")))
        #expect(failure?.attempts == 1)
      }
      #expect(bench.waits.isEmpty)
      #expect(nginx.accessLog.isEmpty)
    }
  }
}
