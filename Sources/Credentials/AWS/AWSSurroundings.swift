import Bindings
import Reporting
package import SystemPackage
import Workers

/// Runs a program by its path or name, without a shell and with this process's environment, and takes what
/// it writes to stdout; ends it after the timeout and throws then.
package typealias RunProgram =
  @Sendable (_ arguments: [String], _ timeout: Duration) async throws -> (
    status: Int32, output: [UInt8]
  )

/// What finding credentials and calling AWS need of the machine, as values.
package struct AWSSurroundings: Sendable {
  /// A variable's value, or `nil`.
  package var environment: @Sendable (String) -> String?
  /// Every call goes through here. It throws ``NoAnswer`` where no answer came; anything else that it throws
  /// counts as a fault that may pass.
  package var exchange: ServiceExchange
  package var run: RunProgram
  package var clock: AWSClock
  package var sleep: @Sendable (Duration) async throws -> Void
  /// Random, from 0 up to 1.
  package var jitter: @Sendable () -> Double
  /// `--aws-profile`: this profile and nothing else.
  package var profile: String?

  package init(
    environment: @escaping @Sendable (String) -> String?, exchange: @escaping ServiceExchange,
    run: @escaping RunProgram, clock: AWSClock = AWSClock { secondsSince1970() },
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
    jitter: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
    profile: String? = nil
  ) {
    self.environment = environment
    self.exchange = exchange
    self.run = run
    self.clock = clock
    self.sleep = sleep
    self.jitter = jitter
    self.profile = profile
  }

  /// `AWS_CA_BUNDLE`: the certificate authorities that AWS's services are checked against, as a PEM file.
  package var authorities: FilePath? { variable("AWS_CA_BUNDLE").map { FilePath($0) } }

  /// A variable that is set to something.
  func variable(_ name: String) -> String? { environment(name).flatMap { $0.isEmpty ? nil : $0 } }

  func isTrue(_ name: String) -> Bool { variable(name)?.lowercased() == "true" }

  /// `AWS_REGION` or `AWS_DEFAULT_REGION`.
  var region: String? { variable("AWS_REGION") ?? variable("AWS_DEFAULT_REGION") }

  /// The URL that takes a service's place: `AWS_ENDPOINT_URL_<SERVICE>`, else `AWS_ENDPOINT_URL`.
  func override(of service: String) throws(AWSError) -> AWSEndpoint? {
    guard !isTrue("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") else { return nil }
    for name in ["AWS_ENDPOINT_URL_\(service)", "AWS_ENDPOINT_URL"] {
      guard let text = variable(name) else { continue }
      guard let endpoint = AWSEndpoint(text), !endpoint.target.contains("?") else {
        throw .unusableEndpoint(variable: name, .notAnEndpoint)
      }
      guard endpoint.isSecure || endpoint.isLoopback else {
        throw .unusableEndpoint(variable: name, .plainHTTP(host: endpoint.host))
      }
      return endpoint
    }
    return nil
  }

  /// A small file's bytes; `nil` where there is none.
  /// - Throws: `FileError`.
  func contents(of path: FilePath) async throws -> [UInt8]? {
    try await withBlockingWork {
      guard let status = try FileSystem.status(of: path) else { return nil }
      // Opening a named pipe would wait for someone who writes to it; `/dev/null` is a usual value.
      guard status.kind == .file || status.kind == .characterDevice else {
        throw FileError("reading", path, .invalidArgument, kind: .cannotRead)
      }
      return try FileSystem.readAll(path, limit: Self.fileLimit)
    }
  }

  private static let fileLimit = 8 << 20
}
