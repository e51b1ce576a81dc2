import ArgumentParser
import OCILayout
import OCISpec

struct Push: InterruptibleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Push an image to a registry, under one or several references.",
    discussion: """
      Blobs that the registry has are not sent; documents follow what they name, tags come last. Prints the digest \
      of the image.
      """)

  @Argument(help: "The image: \(ImageReference.forms).")
  var source: String

  @Argument(help: "Where to: HOST[:PORT]/PATH[:TAG][@DIGEST]; TAG is latest unless told.")
  var references: [String]

  @OptionGroup var transfer: TransferOptions
  @OptionGroup var creation: RepositoryCreation

  func run() async throws {
    let source = try ImageReference(parsing: source)
    let references = try references.map(registryReference)
    try await transfer.copy(
      source, to: references.map(ImageReference.registry), creation: creation)
  }
}

struct Pull: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Pull an image from a registry.",
    discussion: """
      All platforms, unless one is chosen. Every byte is verified before it has its name; what is there already is \
      not fetched again. Prints the digest of the image.
      """)

  @Argument(help: "The image: HOST[:PORT]/PATH[:TAG][@DIGEST].")
  var reference: String

  @Argument(
    help: "Where to: oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME].")
  var destination: String

  @OptionGroup var transfer: TransferOptions

  func run() async throws {
    let source = ImageReference.registry(try registryReference(reference))
    let destination = try ImageReference(parsing: destination)
    if case .registry = destination { throw UsageError.pullIntoRegistry(self.destination) }
    try await transfer.copy(source, to: [destination])
  }
}

struct Copy: InterruptibleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Copy an image between registries, layouts and archives.",
    discussion: "Its digest stays what it is. Prints the digest.")

  @Argument(help: "The image: \(ImageReference.forms).")
  var source: String

  @Argument(help: "Where to: \(ImageReference.forms).")
  var destination: String

  @OptionGroup var transfer: TransferOptions
  @OptionGroup var creation: RepositoryCreation

  func run() async throws {
    try await transfer.copy(
      ImageReference(parsing: source), to: [ImageReference(parsing: destination)],
      creation: creation)
  }
}

/// A reference that must name an image in a registry.
func registryReference(_ text: String) throws -> Reference {
  guard case .registry(let reference) = try ImageReference(parsing: text) else {
    throw UsageError.notARegistryReference(text)
  }
  return reference
}
