import ArgumentParser
import OCISpec
import Remote
import Reporting

struct Referrers: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List what refers to an image in a registry: signatures, attestations and the like.",
    discussion: "Prints digest, type and size, one referrer a line.")

  @Argument(help: "The image: HOST[:PORT]/PATH[:TAG][@DIGEST].")
  var reference: String

  @Option(help: ArgumentHelp("Only referrers of this type.", valueName: "type"))
  var artifactType: String?

  @Flag(help: "Print the descriptors as a JSON array.")
  var json = false

  @OptionGroup var registry: RegistryOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let console = common.console()
    let reference = try registryReference(self.reference)
    let repository = reference.repository
    let found = try await registry.withAccess(to: [repository.registry], console.reporter) {
      let client = $0.registries.repository(repository)
      let digest =
        if let digest = reference.digest {
          digest
        } else {
          try await client.manifest(ManifestName(reference)).descriptor.digest
        }
      return try await client.referrers(of: digest, artifactType: artifactType)
    }
    console.close()
    try answer(
      json
        ? PrettyJSON.encode(.array(found.map(\.json))) : found.map { "\($0.line)\n" }.joined())
  }
}

extension Descriptor {
  fileprivate var line: String {
    "\(digest) \((artifactType ?? mediaType.rawValue).printable) \(size)"
  }
}
