import Credentials
import OCISpec
import Reporting
import Synchronization
import SystemPackage
import TestSupport

/// A user's folder with credential files, and an environment that names it and nothing else.
final class Account: Sendable {
  private let folder: TemporaryDirectory
  private let variables: Mutex<[String: String]>
  private let events = Mutex<[String]>([])

  init() throws {
    folder = try TemporaryDirectory()
    variables = Mutex([
      "HOME": "\(folder.path)/home", "XDG_RUNTIME_DIR": "\(folder.path)/run",
      "PATH": "\(folder.path)/bin",
    ])
  }

  var path: FilePath { folder.path }

  subscript(variable: String) -> String? {
    get { variables.withLock { $0[variable] } }
    set { variables.withLock { $0[variable] = newValue } }
  }

  @discardableResult
  func write(_ name: String, _ text: String, mode: Int = 0o600) throws -> FilePath {
    try folder.write(name, text, mode: mode)
  }

  /// A helper program: what a shell does, with the action as `$1` and the server's name on stdin.
  func helper(_ name: String, _ script: String) throws {
    try folder.write("bin/docker-credential-\(name)", "#!/bin/sh\n\(script)\n", mode: 0o755)
  }

  /// What warnings and details said.
  var told: [String] { events.withLock { $0 } }

  var reporter: Reporter {
    Reporter { [self] event in
      switch event {
      case .warning(let text): events.withLock { $0.append("warning: \(text)") }
      case .notice(let text), .detail(let text): events.withLock { $0.append(text) }
      case .progress, .finished: break
      }
    }
  }

  func chain(
    given: [GivenCredential] = [], authFile: FilePath? = nil,
    limits: HelperLimits = HelperLimits(timeout: .seconds(20)), amazon: AmazonLookup? = nil
  ) -> CredentialChain {
    CredentialChain(
      given: given, authFile: authFile, environment: { self[$0] }, limits: limits,
      reporter: reporter, amazon: amazon)
  }

  func store(authFile: FilePath? = nil) -> CredentialStore {
    CredentialStore(authFile: authFile, environment: { self[$0] })
  }

  /// What a fresh process finds.
  func find(_ repository: Repository, authFile: FilePath? = nil) async throws -> FoundCredential? {
    try await chain(authFile: authFile).provider.find(repository, nil)
  }
}

/// `HOST[:PORT]/PATH`, or a registry alone.
func repository(_ text: String) -> Repository {
  let parts = text.split(separator: "/", maxSplits: 1)
  let host = parts[0].split(separator: ":")
  let registry = Registry(host: String(host[0]), port: host.count > 1 ? Int(host[1]) : nil)
  return Repository(registry: registry, path: parts.count > 1 ? String(parts[1]) : "")
}

func basic(_ user: String, _ password: String) -> Credential {
  .basic(user: user, password: Secret(password))
}
