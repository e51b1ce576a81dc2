import Bindings
import Credentials
import NIOHTTP1
import OCISpec
import Remote
import Reporting
import Synchronization
import TestSupport
import Testing

/// A registry of one scripted server, and what its client did.
final class RegistryBench: Sendable {
  let bench: Bench
  /// What the client's clock says.
  let uptime = Mutex(Duration.zero)

  init() throws { bench = try Bench() }

  /// Settings whose waits take no time, but move the clock.
  func settings(_ server: ScriptedServer? = nil) -> RegistrySettings {
    var network = bench.settings
    network.pause.sleep = { wait in
      self.bench.waits.withLock { $0.append(wait) }
      self.uptime.withLock { $0 += wait }
    }
    network.pause.uptime = { self.uptime.withLock { $0 } }
    var settings = RegistrySettings(network: network)
    if let server { settings.plainHTTP = ["127.0.0.1:\(server.port)"] }
    return settings
  }

  var waits: [Duration] { bench.waits.withLock { $0 } }

  var warnings: [String] {
    bench.events.withLock { $0 }.compactMap {
      if case .warning(let text) = $0 { text } else { nil }
    }
  }

  /// All that was said to anyone.
  var said: String {
    bench.events.withLock { $0 }.map { "\($0)" }.joined(separator: "\n")
  }

  func with<Result>(
    _ server: ScriptedServer, credential: FoundCredential? = nil,
    settings: RegistrySettings? = nil,
    _ body: (RepositoryClient) async throws -> Result
  ) async throws -> Result {
    let repository = try Repository(parsing: "127.0.0.1:\(server.port)/team/app")
    let provider = CredentialProvider { asked, _ in asked == repository ? credential : nil }
    return try await withRegistries(
      settings ?? self.settings(server), credentials: provider, reporter: bench.reporter
    ) { registries in
      try await body(registries.repository(repository))
    }
  }

  /// The same with the registry of `ociforge serve`.
  func with<Result>(
    _ registry: FaultyRegistry, settings: RegistrySettings? = nil,
    _ body: (RepositoryClient) async throws -> Result
  ) async throws -> Result {
    var settings = settings ?? self.settings()
    settings.plainHTTP = [registry.host]
    let repository = try Repository(parsing: "\(registry.host)/team/app")
    return try await withRegistries(
      settings, credentials: .anonymous, reporter: bench.reporter
    ) { try await body($0.repository(repository)) }
  }

  /// The failure that something ends in.
  func failure(_ body: () async throws -> some Any) async -> RegistryFailure? {
    do {
      _ = try await body()
      return nil
    } catch {
      if !(error is RegistryFailure) { Issue.record(error) }
      return error as? RegistryFailure
    }
  }
}

/// A small image manifest.
struct SampleManifest {
  let bytes: [UInt8]
  let digest: Digest

  init(_ text: String? = nil) throws {
    let config = try Digest.sha256(of: Array("{}".utf8))
    bytes = Array(
      (text
        ?? """
        {"schemaVersion":2,"mediaType":"\(MediaType.imageManifest)",\
        "config":{"mediaType":"\(MediaType.imageConfig)","digest":"\(config)","size":2},"layers":[]}
        """).utf8)
    digest = try Digest.sha256(of: bytes)
  }

  var descriptor: Descriptor {
    Descriptor(mediaType: .imageManifest, digest: digest, size: Int64(bytes.count))
  }

  func answer(
    type: String? = MediaType.imageManifest.rawValue, digestHeader: String? = nil
  ) -> ScriptedServer.Answer {
    let headers: [(String, String)?] = [
      type.map { ("Content-Type", $0) }, digestHeader.map { ("Docker-Content-Digest", $0) },
    ]
    return .init(headers: headers.compactMap { $0 }, body: bytes)
  }
}

extension ScriptedServer.Answer {
  static let ok = Self()

  static func status(_ status: Int, _ headers: [(String, String)] = [], body: String = "") -> Self {
    Self(status: status, headers: headers, body: Array(body.utf8))
  }

  static func json(_ text: String) -> Self { Self(body: Array(text.utf8)) }

  /// A blob as a proper registry gives it: ranges without any validator.
  static func blob(_ content: [UInt8], for request: ScriptedServer.Request) -> Self {
    guard let range = request["Range"],
      let start = Int(range.dropFirst("bytes=".count).dropLast())
    else { return Self(body: content) }
    guard start < content.count else { return Self(status: 416) }
    let said = "bytes \(start)-\(content.count - 1)/\(content.count)"
    return Self(status: 206, headers: [("Content-Range", said)], body: Array(content[start...]))
  }
}

extension ScriptedServer {
  /// `GET /v2/…` of all requests.
  var lines: [String] { requests.map { "\($0.method) \($0.uri)" } }

  /// The requests but the greetings.
  var real: [Request] { requests.filter { $0.uri != "/v2/" } }
}

extension FoundCredential {
  static let sample = FoundCredential(
    .basic(user: "ada", password: Secret("s3cret")), source: "the test")
}
