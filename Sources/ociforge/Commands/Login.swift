import ArgumentParser
import Bindings
import Credentials
import OCISpec
import Remote
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

  @OptionGroup var transport: TransportOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let reporter = common.console().reporter
    let registry = try account.parsedRegistry()
    guard !username.isEmpty, !username.contains(":"), !username.utf8.contains(where: { $0 < 0x20 })
    else { throw LoginError.malformedUser }
    let password =
      try passwordStdin
      ? PasswordInput.standardInput(user: username)
      : PasswordInput.terminal(user: username, registry)
    let credential = Credential.basic(user: username, password: password)
    try await check(credential, at: registry, reporter)
    let place = try await CredentialStore(
      authFile: account.authFile, environment: { environment($0) }
    ).store(user: username, password: password, for: registry)
    await warnWhereHidden(credential, registry, reporter)
    try answer("\(place.printable)\n")
  }

  /// Shows the credential to the registry, and nobody else's.
  private func check(
    _ credential: Credential, at registry: Registry, _ reporter: Reporter
  ) async throws {
    let found = FoundCredential(credential, source: "--username")
    try await withRegistries(
      try transport.settings(offline: false),
      credentials: CredentialProvider { _, rejected in rejected == nil ? found : nil },
      reporter: reporter
    ) { try await $0.checkAccess(to: registry) }
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
