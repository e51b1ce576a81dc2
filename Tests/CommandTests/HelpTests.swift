import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("help") struct HelpTests {
  static let verbs = [
    "assemble", "push", "pull", "copy", "inspect", "ls", "cat", "export", "validate", "tags",
    "delete", "referrers", "tag", "untag", "gc", "login", "logout", "auth", "serve", "schema",
    "init", "version",
  ]

  @Test("the help of a verb is as recorded", arguments: verbs)
  func verb(_ verb: String) throws {
    let finished = try Workshop().run([verb, "--help"])
    #expect(finished.status == 0)
    #expect(finished.stderr == "")
    try expectGolden("command/help/\(verb).txt", finished.output)
  }

  @Test(
    "the help of the program is as recorded, also without arguments", arguments: [["--help"], []])
  func program(_ arguments: [String]) throws {
    let finished = try Workshop().run(arguments)
    #expect(finished.status == 0)
    #expect(finished.stderr == "")
    try expectGolden("command/help/ociforge.txt", finished.output)
  }

  @Test("every verb that the program lists has a test here")
  func complete() throws {
    let help = try Workshop().run(["--help"]).output
    let list = try #require(help.range(of: "SUBCOMMANDS:\n"))
    let found = help[list.upperBound...].split(separator: "\n").compactMap { line -> String? in
      guard line.hasPrefix("  "), !line.hasPrefix("   "), !line.contains("'") else { return nil }
      return line.split(separator: " ").first.map(String.init)
    }
    #expect(found == Self.verbs)
  }

  @Test("every option that the sources name is one of a verb")
  func options() throws {
    let help = try Self.verbs.map { try Workshop().run([$0, "--help"]).output }.joined()
    let options = Set(help.matches(of: /--[a-z][a-z-]+/).map(\.output))
    let sources = repository.appending("Sources").string
    for path in try FileManager.default.subpathsOfDirectory(atPath: sources)
    where path.hasSuffix(".swift") {
      let text = try String(contentsOfFile: "\(sources)/\(path)", encoding: .utf8)
      let foreign = ["--format"]  // of `aws configure export-credentials`
      for option in text.matches(of: /--[a-z][a-z-]+/).map(\.output)
      where !foreign.contains(String(option)) {
        #expect(options.contains(option), "\(path)")
      }
    }
  }

  @Test("a slip on the command line is a usage error with the way to the help")
  func slips() throws {
    let workshop = try Workshop()
    try workshop.expect(
      ["assmble"], status: 64,
      stderr: """
        error: Unexpected argument 'assmble'
        Usage: ociforge <subcommand>
          See 'ociforge --help' for more information.

        """)
    try workshop.expect(
      ["gc", "--dryrun", "x"], status: 64,
      stderr: """
        error: Unknown option '--dryrun'. Did you mean '--dry-run'?
        Usage: ociforge gc <layout> [--dry-run] [--verbose] [--quiet] [--progress <progress>]
          See 'ociforge gc --help' for more information.

        """)
    try workshop.expect(
      ["version", "-v", "-q"], status: 64,
      stderr: """
        error: -v and -q exclude each other
        Usage: ociforge version [--json] [--verbose] [--quiet] [--progress <progress>]
          See 'ociforge version --help' for more information.

        """)
  }
}
