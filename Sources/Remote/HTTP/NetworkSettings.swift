import Bindings
package import SystemPackage

/// Everything that decides how requests go, as values.
package struct NetworkSettings: Sendable {
  /// Whether whatever needs the network is an error, before any socket is made.
  package var isOffline = false
  package var proxies: ProxySettings
  package var trust: TrustStore
  package var redirects = RedirectPolicy()
  package var retries = RetryPolicy()
  package var userAgent = "ociforge"
  package var connectTimeout = Duration.seconds(15)
  /// How long a server may be silent, before its answer and within it. There is no limit on the whole.
  package var idleTimeout = Duration.seconds(60)
  /// The same where a registry commits a blob before it answers.
  package var commitTimeout = Duration.seconds(300)
  /// Where `<host[:port]>/` holds certificates for that host, the first first: `certs.d`.
  package var certificateFolders: [FilePath]
  /// Authorities for calls to AWS, beside the machine's.
  package var awsAuthorities: FilePath?
  package var maximumSize: Int64 = 64 << 30
  package var pause = Pause.system

  package init(environment: (String) -> String?, exists: (FilePath) -> Bool) {
    proxies = ProxySettings(environment: environment)
    trust = TrustStore(environment: environment, exists: exists)
    let home = environment("HOME").map { FilePath($0).appending(".config/containers/certs.d") }
    certificateFolders = ([home].compactMap { $0 } + Self.systemCertificateFolders).filter(exists)
    awsAuthorities = environment("AWS_CA_BUNDLE").flatMap { $0.isEmpty ? nil : FilePath($0) }
  }

  private static let systemCertificateFolders: [FilePath] = [
    "/etc/containers/certs.d", "/etc/docker/certs.d",
  ]

  /// From this process's environment.
  package static func system(isOffline: Bool) -> NetworkSettings {
    var settings = NetworkSettings(
      environment: { environment($0) }, exists: { (try? FileSystem.status(of: $0)) != nil })
    settings.isOffline = isOffline
    return settings
  }
}

/// Time and chance, as far as retries need them.
package struct Pause: Sendable {
  package var sleep: @Sendable (Duration) async throws -> Void
  /// From 0 up to 1.
  package var jitter: @Sendable () -> Double
  /// Seconds since 1970.
  package var now: @Sendable () -> Int64
  /// Time that only ever goes forward, from some beginning.
  package var uptime: @Sendable () -> Duration = {
    let start = ContinuousClock.now
    return { start.duration(to: .now) }
  }()

  package init(
    sleep: @escaping @Sendable (Duration) async throws -> Void,
    jitter: @escaping @Sendable () -> Double, now: @escaping @Sendable () -> Int64
  ) {
    self.sleep = sleep
    self.jitter = jitter
    self.now = now
  }

  package static let system = Pause(
    sleep: { try await Task.sleep(for: $0) }, jitter: { Double.random(in: 0..<1) },
    now: { secondsSince1970() })
}
