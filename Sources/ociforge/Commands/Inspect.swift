import ArgumentParser
import OCILayout
import OCISpec
import Reporting
import SystemPackage

struct Inspect: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what an image is.",
    discussion:
      "A summary for people; --json is the same for programs, --raw the document's own bytes.")

  @Argument(help: "The image: \(ImageReference.forms).")
  var reference: String

  @Option(help: "Only this platform's image.", transform: Platform.init(parsing:))
  var platform: Platform?

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Print the bytes of the manifest or index as they are.")
  var raw = false

  @Flag(help: "With --raw: the bytes of the config.")
  var config = false

  @OptionGroup var registry: RegistryOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    if json && raw { throw ValidationError("--json and --raw exclude each other") }
    if config && !raw { throw ValidationError("--config goes with --raw") }
  }

  func run() async throws {
    let console = common.console()
    try await registry.withImage(reference, console.reporter) { image in
      console.close()
      if raw { return try writeAnswer(try rawDocument(of: image)) }
      let summary = try ImageSummary(image, platform: platform)
      try answer(json ? PrettyJSON.encode(summary.json) : summary.text)
    }
  }

  private func rawDocument(of image: OpenedImage) throws -> [UInt8] {
    if config {
      let manifest = try image.manifest(for: platform)
      return try image.layout.config(manifest.body.config).bytes
    }
    guard platform != nil else { return try image.layout.store.document(image.root.digest) }
    return try image.manifest(for: platform).bytes
  }
}
