import ArgumentParser
import OCISpec
import Remote

struct Tags: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the tags of a repository in a registry.")

  @Argument(help: "The repository: HOST[:PORT]/PATH.")
  var repository: String

  @Flag(help: "Print a JSON array.")
  var json = false

  @OptionGroup var registry: RegistryOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    let console = common.console()
    let repository = try Repository(parsing: repository)
    let tags = try await registry.withAccess(to: [repository.registry], console.reporter) {
      try await $0.registries.repository(repository).tags()
    }
    console.close()
    try answer(
      json
        ? PrettyJSON.encode(.array(tags.map(JSON.string)))
        : tags.map { "\($0)\n" }.joined())
  }
}
