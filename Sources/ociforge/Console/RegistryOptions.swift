import ArgumentParser
import Bindings
import Credentials
import OCISpec
import Reporting

/// How registries are spoken to.
struct TransportOptions: ParsableArguments {
  @Option(
    name: .customLong("plain-http"),
    help: ArgumentHelp(
      "A registry that speaks http without TLS; repeatable. Also OCIFORGE_PLAIN_HTTP.",
      valueName: "host[:port]"))
  var plainHTTP: [String] = []

  @Option(
    name: .customLong("tls-verify"),
    help: ArgumentHelp(
      "Whether registries must show a certificate that is trusted. Also OCIFORGE_TLS_VERIFY.",
      valueName: "true|false"))
  var verifiesCertificates: Bool?

  @Flag(help: "Send credentials to a registry of --plain-http, where others may read them.")
  var allowPlaintextCredentials = false

  @Flag(help: "Follow redirects of a registry with a public address to a private one.")
  var allowPrivateRedirects = false

  /// The flags' hosts and those of the environment, which commas and blanks part.
  /// - Throws: where one is no registry's name.
  func plainHosts() throws -> Set<String> {
    let variable = "OCIFORGE_PLAIN_HTTP"
    let hosts = (environment(variable) ?? "").split { $0 == "," || $0 == " " }.map(String.init)
    for (setting, host) in plainHTTP.map({ ("--plain-http", $0) }) + hosts.map({ (variable, $0) }) {
      do { _ = try Registry(parsing: host) } catch { throw UsageError.setting(setting, error) }
    }
    return Set(plainHTTP + hosts)
  }

  /// - Throws: ``UsageError`` where the environment says neither true nor false.
  func checksCertificates() throws -> Bool {
    if let verifiesCertificates { return verifiesCertificates }
    guard let text = environment("OCIFORGE_TLS_VERIFY") else { return true }
    guard let value = Bool(text.lowercased()) else { throw UsageError.tlsVerify(text) }
    return value
  }
}

/// How registries are spoken to, and with which credentials.
struct RegistryOptions: ParsableArguments {
  @OptionGroup var transport: TransportOptions

  @Option(help: "The user at the registry; the password comes with --password-stdin.")
  var username: String?

  @Flag(help: "Read the password from stdin.")
  var passwordStdin = false

  @Option(
    help: "A file with credentials, as docker and podman keep them.", completion: .file())
  var authfile: String?

  @Option(help: "A profile of the AWS configuration, for Amazon ECR.")
  var awsProfile: String?

  func validate() throws {
    if (username == nil) == passwordStdin {
      throw ValidationError("--username and --password-stdin go together")
    }
  }
}
