import Bindings
import Credentials
import Inputs
import OCILayout
import OCISpec
import Remote
import Reporting
import SystemPackage
import Workers

/// What a command reaches registries with.
struct RegistryAccess: Sendable {
  let registries: Registries
  let chain: CredentialChain
  let amazon: ECRCredentials

  /// What bases need of the client.
  func bases(reporter: Reporter) -> RegistryBases {
    RegistryBases(
      resolve: { reference in
        try await registries.repository(reference.repository).manifest(of: reference)
          .descriptor
      },
      document: { repository, descriptor in
        let client = registries.repository(repository)
        let isManifest = descriptor.mediaType.isIndex || descriptor.mediaType.isManifest
        return isManifest
          ? try await client.manifest(descriptor).bytes : try await client.document(descriptor)
      },
      layer: { repository, descriptor, store in
        try await registries.repository(repository).fetchBlob(
          descriptor, into: store, as: "base \(descriptor.digest.hex.prefix(12))",
          reporter: reporter)
      })
  }
}

extension RegistryOptions {
  /// Runs `body` with a way to registries. Nothing is opened, and no source of credentials asked, before somebody
  /// needs one.
  ///
  /// - Parameter named: the registries of the command line, which `--username` is for one of.
  func withAccess<Result>(
    to named: [Registry], offline: Bool = false, _ reporter: Reporter,
    _ body: (RegistryAccess) async throws -> Result
  ) async throws -> Result {
    let settings = try transport.settings(offline: offline)
    let given = try givenCredential(for: named)
    var sources: (chain: CredentialChain, amazon: ECRCredentials)?
    return try await withRegistries(
      settings, reporter: reporter,
      credentials: { exchange in
        let (chain, amazon) = chain(given: given, exchange, reporter)
        sources = (chain, amazon)
        return chain.provider
      }
    ) { registries in
      guard let sources else { preconditionFailure("credentials are set up before they are used") }
      return try await body(
        RegistryAccess(registries: registries, chain: sources.chain, amazon: sources.amazon))
    }
  }

  /// Every source of credentials, with what they need of the machine.
  func chain(
    given: [GivenCredential] = [], _ exchange: @escaping ServiceExchange, _ reporter: Reporter
  ) -> (CredentialChain, ECRCredentials) {
    let amazon = ECRCredentials(
      AWSSurroundings(
        environment: { environment($0) }, exchange: exchange, run: runProgram, profile: awsProfile))
    let chain = CredentialChain(
      given: given, authFile: authfile.map { FilePath($0) }, environment: { environment($0) },
      reporter: reporter,
      amazon: { try await amazon.credential(for: $0, rejected: $1) })
    return (chain, amazon)
  }

  private func givenCredential(for named: [Registry]) throws -> [GivenCredential] {
    guard let username else { return [] }
    let registries = Set(named.map(\.description)).compactMap { text in
      named.first { $0.description == text }
    }
    guard registries.count == 1 else { throw UsageError.passwordForSeveral(registries) }
    let password = try PasswordInput.standardInput(user: username)
    return [
      GivenCredential(
        .basic(user: username, password: password), for: registries[0],
        option: "--username and --password-stdin")
    ]
  }

  /// Opens an image for reading and runs `body` with it.
  func withImage<Result>(
    _ text: String, _ reporter: Reporter, _ body: (OpenedImage) async throws -> Result
  ) async throws -> Result {
    let reference = try ImageReference(parsing: text)
    return try await withAccess(to: [reference.registry].compactMap { $0 }, reporter) { access in
      try await body(OpenedImage.open(reference, access: access, reporter: reporter))
    }
  }
}

extension TransportOptions {
  func settings(offline: Bool) throws -> RegistrySettings {
    var settings = RegistrySettings(network: .system(isOffline: offline))
    settings.plainHTTP = try plainHosts()
    settings.verifiesCertificates = try checksCertificates()
    settings.allowsPlaintextCredentials = allowPlaintextCredentials
    settings.allowsPrivateRedirects = allowPrivateRedirects
    return settings
  }
}

/// Runs a program that the AWS configuration names.
@Sendable private func runProgram(
  _ arguments: [String], timeout: Duration
) async throws -> (status: Int32, output: [UInt8]) {
  guard let name = arguments.first else { throw ProgramError.notFound("") }
  let path =
    name.contains("/") ? FilePath(name) : ChildProcess.find(name, path: environment("PATH") ?? "")
  guard let path else { throw ProgramError.notFound(name) }
  let process = ChildProcess(
    path, Array(arguments.dropFirst()), outputLimit: 64 << 10, timeout: timeout)
  let result = try await withBlockingWork { try process.run() }
  switch result.end {
  case .exited(let status): return (status, result.stdout)
  case .killed(let signal): throw ProgramError.killed(name, signal: signal)
  case .timedOut: throw ProgramError.timedOut(name)
  case .tooMuchOutput: throw ProgramError.tooMuchOutput(name)
  }
}

/// Why a program gave no answer.
enum ProgramError: Failure, Equatable {
  case notFound(String)
  case killed(String, signal: Int32)
  case timedOut(String)
  case tooMuchOutput(String)

  var kind: FailureKind { if case .notFound = self { .notFound } else { .unavailable } }

  var description: String {
    switch self {
    case .notFound(let name): "running \(name.quoted): no such program on PATH"
    case .killed(let name, let signal): "running \(name.quoted): ended by signal \(signal)"
    case .timedOut(let name): "running \(name.quoted): no answer in time"
    case .tooMuchOutput(let name): "running \(name.quoted): it writes more than 64 KiB"
    }
  }
}
