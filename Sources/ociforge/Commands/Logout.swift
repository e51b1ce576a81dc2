import ArgumentParser
import Bindings
import Credentials
import OCISpec
import Reporting

struct Logout: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Remove the credential for a registry.",
    discussion: """
      It goes from the first file that has one, in the order of `ociforge auth`, or from that file's credential \
      helper. Entries for a namespace, such as HOST/team, stay.

      Prints each file, and each helper program, that it was removed from.
      """)

  @OptionGroup var account: AccountOptions

  @Flag(help: "Remove it from every file that has one.")
  var all = false

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let reporter = common.console().reporter
    let registry = try account.parsedRegistry()
    let gone = try await CredentialStore(
      authFile: account.authFile, environment: { environment($0) }
    ).erase(registry, fromAll: all)
    guard !gone.isEmpty else { throw LogoutError.notLoggedIn(registry) }
    try answer(gone.map { "\($0.printable)\n" }.joined())
    await warnWhereLeft(registry, reporter)
  }

  private func warnWhereLeft(_ registry: Registry, _ reporter: Reporter) async {
    let chain = CredentialChain(
      authFile: account.authFile, environment: { environment($0) }, reporter: .silent)
    do {
      let found = try await chain.provider.find(Repository(registry: registry, path: ""), nil)
      guard let found else { return }
      reporter.warn("\(registry) still has a credential: \(found.source)")
    } catch { reporter.warn("\(error)") }
  }
}

private enum LogoutError: Failure {
  case notLoggedIn(Registry)

  var kind: FailureKind { .notFound }

  var description: String {
    switch self {
    case .notLoggedIn(let registry):
      "no file and no helper has a credential for \(registry); `ociforge auth \(registry)` lists where they may be"
    }
  }
}
