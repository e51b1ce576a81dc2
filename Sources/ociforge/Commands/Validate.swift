import ArgumentParser
import Bindings
import OCILayout
import OCISpec
import Reporting
import SystemPackage

struct Validate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Hold an image against every rule of the image-spec; all failures at once.",
    discussion: """
      Every blob is hashed, every layer unpacked in memory. One line a failure on stdout; exit 65 where a rule \
      that the specification demands is broken, 0 where there are only recommendations.
      """)

  @Argument(help: "The image: \(ImageReference.forms).")
  var reference: String

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var registry: RegistryOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let violations = try await violations()
    try answer(json ? PrettyJSON.encode(.array(violations.map(\.json))) : text(violations))
    if violations.contains(where: { $0.severity == .must }) {
      throw ExitCode(FailureKind.data.exitCode)
    }
  }

  /// A layout without a tag is judged as a whole, even where it is too broken to be opened.
  private func violations() async throws -> [Violation] {
    let parsed = try ImageReference(parsing: reference)
    if case .layout(let path, nil, nil) = parsed {
      guard try FileSystem.status(of: path)?.kind == .directory else {
        throw FileError("reading", path, .noSuchFileOrDirectory)
      }
      return try ImageValidator.validateLayout(root: path)
    }
    let console = common.console()
    return try await registry.withImage(reference, console.reporter) { image in
      try await image.obtainAll(of: image.root)
      console.close()
      return try ImageValidator.validate(store: image.layout.store, roots: [image.root])
    }
  }

  private func text(_ violations: [Violation]) -> String {
    if violations.isEmpty { return "valid\n" }
    return violations.map { "\($0)\n" }.joined()
  }
}

extension Violation {
  fileprivate var json: JSON {
    .object([
      "severity": severity == .must ? "must" : "should", "subject": .string(subject),
      "pointer": .string(pointer), "rule": .string(rule), "text": .string(text),
    ])
  }
}
