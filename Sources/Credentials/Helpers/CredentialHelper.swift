import Bindings
import OCISpec
import Reporting
import SystemPackage
import Workers

/// A program that keeps credentials: the protocol of docker-credential-helpers (registry.md, C.10).
struct CredentialHelper: Sendable, Hashable {
  /// `docker-credential-NAME`.
  let program: String
  /// Where the program lies.
  private let path: String

  /// Finds the program that a file names.
  ///
  /// - Parameter searchPath: the value of `PATH`.
  init(
    _ name: String, file: String, member: String, searchPath: String
  ) throws(CredentialError) {
    let isName =
      name.utf8.first.map(Self.isLetterOrDigit) == true
      && name.utf8.allSatisfy { Self.isLetterOrDigit($0) || [0x2E, 0x5F, 0x2D].contains($0) }
    guard isName else { throw .helperName(name, file: file, member: member) }
    program = "docker-credential-\(name)"
    guard let path = ChildProcess.find(program, path: searchPath) else {
      throw .noHelper(program: program, file: file, member: member)
    }
    self.path = path.string
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
  }
}

extension CredentialHelper {
  /// What it keeps for a registry; `nil` where it has nothing.
  func get(_ registry: Registry, limits: HelperLimits) async throws -> Credential? {
    let server = RegistryKeys(registry).canonical
    guard let output = try await run("get", server, input: server, limits) else { return nil }
    func failure(_ found: String) -> CredentialError {
      .helper(program: program, action: "get", server: server, .malformed(found))
    }
    guard let answer = try? JSON(parsing: output) else { throw failure("what is no JSON") }
    guard let answer = answer.objectValue else { throw failure(answer.kindName) }
    func text(_ member: String) throws -> String {
      guard let value = answer[member], value != .null else { return "" }
      guard let text = value.stringValue else {
        throw failure("\(value.kindName) as \(member.quoted)")
      }
      return text
    }
    let user = try text("Username"), secret = Secret(try text("Secret"))
    if user.isEmpty && secret.isEmpty { return nil }
    guard !user.isEmpty else { throw failure("no user's name with the secret") }
    guard !user.hasControls else { throw failure("a line break or NUL in \("Username".quoted)") }
    guard secret.isPassword(of: user) else {
      throw failure("a line break or NUL in \("Secret".quoted)")
    }
    return user == "<token>"
      ? .identityToken(user: nil, secret) : .basic(user: user, password: secret)
  }

  func store(
    user: String, password: Secret, for registry: Registry, limits: HelperLimits
  ) async throws {
    let server = RegistryKeys(registry).canonical
    var entry = JSONObject()
    entry["ServerURL"] = .string(server)
    entry["Username"] = .string(user)
    entry["Secret"] = .string(password.reveal())
    let input = String(decoding: CanonicalJSON.encode(.object(entry)), as: UTF8.self)
    _ = try await run("store", server, input: input, hiding: password, limits)
  }

  func erase(_ registry: Registry, limits: HelperLimits) async throws {
    let server = RegistryKeys(registry).canonical
    _ = try await run("erase", server, input: server, limits)
  }

  /// - Returns: its stdout, or `nil` where it says that there is nothing.
  private func run(
    _ action: String, _ server: String, input: String, hiding secret: Secret? = nil,
    _ limits: HelperLimits
  ) async throws -> [UInt8]? {
    let child = ChildProcess(
      FilePath(path), [action], input: Array(input.utf8), outputLimit: HelperLimits.outputByteCount,
      diagnosticsLimit: HelperLimits.diagnosticsByteCount, timeout: limits.timeout,
      grace: limits.grace)
    let result = try await withBlockingWork { try child.run() }
    func failure(_ problem: CredentialError.HelperProblem) -> CredentialError {
      .helper(program: program, action: action, server: server, problem)
    }
    func said(_ bytes: [UInt8]) -> String {
      let text = String(decoding: bytes, as: UTF8.self)
      guard let secret, !secret.isEmpty else { return text.redacted }
      return text.replacing(secret.reveal(), with: "…").redacted
    }
    switch result.end {
    case .exited(0): return result.stdout
    case .exited(let status):
      // Messages are on stdout; a JSON there may hold what nobody may see.
      let isMessage = result.stdout.count <= 1024 && (try? JSON(parsing: result.stdout)) == nil
      let message = isMessage ? said(result.stdout) : ""
      if Self.notFound.contains(message.lowercased()) { return nil }
      throw failure(.refused(status: status, message.isEmpty ? said(result.stderr) : message))
    case .killed(let signal): throw failure(.killed(signal: signal, said(result.stderr)))
    case .timedOut: throw failure(.timedOut(seconds: limits.timeout.components.seconds))
    case .tooMuchOutput: throw failure(.tooMuchOutput(limit: HelperLimits.outputByteCount))
    }
  }

  /// https://github.com/docker/docker-credential-helpers/blob/master/credentials/error.go
  private static let notFound = [
    "credentials not found in native keychain", "no credentials server url",
    "no credentials username",
  ]
}

/// How long a helper may take and how much it may say.
package struct HelperLimits: Sendable {
  package var timeout: Duration
  package var grace: Duration

  package init(timeout: Duration = .seconds(30), grace: Duration = .seconds(2)) {
    self.timeout = timeout
    self.grace = grace
  }

  static let outputByteCount = 1 << 20
  static let diagnosticsByteCount = 4 << 10
}
