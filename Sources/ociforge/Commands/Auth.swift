import ArgumentParser
import Bindings
import Credentials
import OCISpec
import Reporting
import SystemPackage

struct Auth: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say which credential a registry would be shown, and why.",
    discussion: """
      Lists every source in the order in which it is asked, what it said, and which one won; never a secret. \
      Credential helpers are run. The registry itself is not asked.
      """)

  @Argument(help: "The registry or repository: HOST[:PORT][/PATH].")
  var name: String

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var registry: RegistryOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let repository =
      name.contains("/")
      ? try Reference(parsing: name).repository
      : Repository(registry: try Registry(parsing: name), path: "")
    let reporter = common.console().reporter
    let report = try await registry.withAccess(to: [repository.registry], reporter) { access in
      AuthReport(repository, await access.chain.trail(for: repository), amazon: access.amazon.trail)
    }
    try answer(json ? PrettyJSON.encode(report.json) : report.text(now: secondsSince1970()))
    if let error = report.error { throw error }
  }
}
