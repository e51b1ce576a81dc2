import ArgumentParser
import Bindings
import OCILayout
import Reporting
import Server
import SystemPackage

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve a layout as a registry on this machine.",
    discussion: """
      Listens on 127.0.0.1 only, without TLS and passwords, and prints the address once it does. Ends when \
      interrupted.

      An image that is pushed as NAME:TAG has the name NAME:TAG in the layout; a tag without a name, as assemble \
      leaves it, is served under every name. gc does nothing to a layout that is served, unless read-only.
      """)

  @Argument(help: "The layout's folder; made where it is missing.", completion: .directory)
  var directory: String

  @Option(help: "The port; 0 for any that is free.")
  var port: UInt16 = 5000

  @Flag(help: "Refuse pushes and deletions.")
  var readOnly = false

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let reporter = common.console().reporter
    let signals = try TerminationSignals()
    let number = try await RegistryServer.run(
      layout: FilePath(directory), access: readOnly ? .readOnly : .readWrite, port: Int(port),
      reporter: reporter, wrapping: { logged($0, to: reporter) }
    ) { server in
      reporter.report(
        .notice(
          "serving \(directory.quoted) as \(server.address)/NAME:TAG until interrupted (Ctrl-C)"))
      try answer("\(server.address)\n")
      return try await signals.first()
    }
    throw ExitCode(128 + number)
  }
}
