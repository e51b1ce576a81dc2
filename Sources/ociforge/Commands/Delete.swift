import ArgumentParser
import OCISpec
import Remote
import Reporting

struct Delete: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Delete a tag, or an image with all of its tags, from a registry.",
    discussion: """
      A tag goes alone; what it led to stays under its digest. A digest takes all tags that lead to it along. Many \
      registries are set up to refuse one or both.
      """)

  @Argument(help: "What to delete: HOST[:PORT]/PATH:TAG or HOST[:PORT]/PATH@DIGEST.")
  var reference: String

  @OptionGroup var registry: RegistryOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let console = common.console()
    let reference = try registryReference(self.reference)
    let repository = reference.repository
    try await registry.withAccess(to: [repository.registry], console.reporter) { access in
      let client = access.registries.repository(repository)
      switch (reference.tag, reference.digest) {
      case (let tag?, nil): try await client.deleteTag(tag)
      case (nil, let digest?): try await client.deleteManifest(digest)
      case (nil, nil): throw UsageError.nothingToDelete(self.reference)
      case (_?, _?): throw UsageError.tagAndDigestToDelete(self.reference)
      }
    }
    console.reporter.report(.notice("deleted \(reference)"))
    console.close()
  }
}
