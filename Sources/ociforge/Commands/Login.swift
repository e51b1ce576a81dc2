import ArgumentParser
import Bindings
import Credentials
import OCISpec
import Reporting
import SystemPackage

struct Login: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Store a name and password for a registry.",
    discussion: """
      The password comes from stdin with --password-stdin, else it is asked for at the terminal.

      It goes to --authfile, else $REGISTRY_AUTH_FILE, else $DOCKER_CONFIG/config.json; where none is said, to \
      the first of these that exists: $XDG_RUNTIME_DIR/containers/auth.json, ~/.config/containers/auth.json, \
      ~/.docker/config.json; else to a new ~/.docker/config.json. docker, podman and skopeo read them, too. Where \
      the file names a credential helper for the registry, the helper keeps the password.

      Prints the file, or the helper program, that has it now.
      """)

  @OptionGroup var account: AccountOptions

  @Option(help: "The user's name, or what the registry wants in its place.")
  var username: String

  @Flag(help: "Read the password from stdin; one line break at its end does not count.")
  var passwordStdin = false

  @OptionGroup var common: CommonOptions

  func run() async throws { try await run(verify: nil) }

  /// - Parameter verify: tries a credential at its registry before it is stored.
  private func run(
    verify: ((_ registry: Registry, _ credential: Credential) async throws -> Void)?
  ) async throws {
    let reporter = common.console().reporter
    let registry = try account.parsedRegistry()
    guard !username.isEmpty, !username.contains(":"), !username.utf8.contains(where: { $0 < 0x20 })
    else { throw LoginError.malformedUser }
    let password = try readPassword(for: registry)
    let credential = Credential.basic(user: username, password: password)
    try await verify?(registry, credential)
    let place = try await CredentialStore(
      authFile: account.authFile, environment: { environment($0) }
    ).store(user: username, password: password, for: registry)
    await warnWhereHidden(credential, registry, reporter)
    try answer("\(place.printable)\n")
  }

  private func readPassword(for registry: Registry) throws -> Secret {
    var password: String
    if passwordStdin {
      password = try Self.standardInput()
      // Swift holds "\r\n" for one character.
      if password.last?.isNewline == true { password.removeLast() }
    } else {
      guard ProcessState.isTerminal(0) else { throw LoginError.noPassword }
      password = try TerminalInput.secretLine(
        prompt: "password of \(username.quoted) at \(registry): ")
    }
    guard !password.isEmpty else { throw LoginError.emptyPassword }
    let secret = Secret(password)
    guard secret.isPassword(of: username) else { throw LoginError.malformedPassword }
    return secret
  }

  /// More is no password.
  private static let passwordByteLimit = 64 << 10

  private static func standardInput() throws -> String {
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: passwordByteLimit, alignment: 1)
    defer { buffer.deallocate() }
    var bytes: [UInt8] = []
    while true {
      let count = try FileSystem.read(.standardInput, into: buffer, path: "standard input")
      if count == 0 { break }
      bytes += buffer.prefix(count)
      guard bytes.count <= passwordByteLimit else { throw LoginError.malformedPassword }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw LoginError.malformedPassword
    }
    return text
  }

  /// What is stored is of no use where a source that is asked earlier has something else.
  private func warnWhereHidden(
    _ credential: Credential, _ registry: Registry, _ reporter: Reporter
  ) async {
    let chain = CredentialChain(
      authFile: account.authFile, environment: { environment($0) }, reporter: .silent)
    do {
      let found = try await chain.provider.find(Repository(registry: registry, path: ""), nil)
      guard let found, found.credential != credential else { return }
      reporter.warn(
        "the stored credential is not used: an earlier source wins, \(found.source); see `ociforge auth \(registry)`"
      )
    } catch { reporter.warn("the stored credential is not used: \(error)") }
  }
}

/// Whose credential a command is about, and where it may be.
struct AccountOptions: ParsableArguments {
  @Argument(help: "The registry: HOST[:PORT].")
  var registry: String

  @Option(help: "The file with credentials, as docker's config.json or podman's auth.json.")
  var authfile: String?

  var authFile: FilePath? { authfile.map { FilePath($0) } }

  func parsedRegistry() throws -> Registry { try Registry(parsing: registry) }
}

/// Why there is nothing to store.
enum LoginError: Failure {
  case malformedUser
  case noPassword
  case emptyPassword
  case malformedPassword

  var kind: FailureKind { .usage }

  var description: String {
    switch self {
    case .malformedUser:
      "expected a user's name without colons and control characters in --username"
    case .noPassword:
      "no password: stdin is no terminal to ask at; give it there with --password-stdin"
    case .emptyPassword: "expected a password, got an empty one"
    case .malformedPassword:
      "expected a password of one line of UTF-8 with at most 65,536 bytes"
    }
  }
}
