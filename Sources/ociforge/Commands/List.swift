import ArgumentParser
import OCILayout
import OCISpec

struct List: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ls", abstract: "List the files of an image, its layers merged.")

  @OptionGroup var image: ImageArgument

  @Argument(help: "A directory, with all below it, or a file.")
  var path = "/"

  func run() async throws {
    try await image.withFilesystem { filesystem in
      let lines = ImageFilesystem.listing(try filesystem.list(at: path))
      try answer(lines.map { "\($0)\n" }.joined())
    }
  }
}

struct Cat: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a file of an image.",
    discussion: "Symlinks are followed inside the image.")

  @OptionGroup var image: ImageArgument

  @Argument(help: "The file's path in the image.")
  var path: String

  func run() async throws {
    try await image.withFilesystem { filesystem in
      try withOutput("-") { try filesystem.cat(path, to: $0) }
    }
  }
}

struct Export: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the files of an image as one tar, its layers merged.",
    discussion: "To stdout, so that `ociforge export REF | tar -x -C DIR` unpacks an image.")

  @OptionGroup var image: ImageArgument

  @Option(
    name: [.customShort("o"), .long], help: "Write to a file instead.", completion: .file())
  var output = "-"

  func run() async throws {
    try await image.withFilesystem { filesystem in
      try withArchiveOutput(output) { try filesystem.export(to: $0) }
    }
  }
}

/// An image whose files are looked at.
struct ImageArgument: ParsableArguments {
  @Argument(help: "The image: \(ImageReference.forms).")
  var reference: String

  @Option(
    help: "Which platform's image (default: the only one, else this machine's).",
    transform: Platform.init(parsing:))
  var platform: Platform?

  @OptionGroup var registry: RegistryOptions
  @OptionGroup var common: CommonOptions

  /// Opens the image for as long as `body` runs.
  func withFilesystem(_ body: (ImageFilesystem) throws -> Void) async throws {
    let console = common.console()
    try await registry.withImage(reference, console.reporter) { image in
      let manifest = try image.manifest(for: platform)
      try await image.obtainAll(of: manifest.descriptor)
      console.close()
      try body(ImageFilesystem(store: image.layout.store, layers: manifest.body.layers))
    }
  }
}
