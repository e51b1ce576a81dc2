import ArgumentParser
import Definition
import OCISpec

struct Schema: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the JSON Schema of image.yaml.",
    discussion: "Editors with a YAML language server check and complete definitions with it.")

  @OptionGroup var common: CommonOptions

  func run() throws { try answer(PrettyJSON.encode(DefinitionSchema.json)) }
}
