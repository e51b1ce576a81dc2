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
    let reference = try reference(toDelete: self.reference)
    let repository = reference.repository
    try await registry.withAccess(to: [repository.registry], console.reporter) { access in
      let client = access.registries.repository(repository)
      if let digest = reference.digest {
        try await client.deleteManifest(digest)
      } else if let tag = reference.tag {
        try await client.deleteTag(tag)
      }
    }
    console.reporter.report(.notice("deleted \(reference)"))
    console.close()
  }

  /// What is written there and nothing more: no tag is meant where none stands.
  private func reference(toDelete text: String) throws -> Reference {
    let reference = try registryReference(text)
    let scheme = "docker://"
    let name = text.hasPrefix(scheme) ? String(text.dropFirst(scheme.count)) : text
    if (try? Repository(parsing: name)) != nil { throw UsageError.nothingToDelete(text) }
    if reference.tag != nil && reference.digest != nil {
      throw UsageError.tagAndDigestToDelete(text)
    }
    return reference
  }
}
