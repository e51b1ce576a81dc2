import ArgumentParser
import Bindings
import Definition
import Reporting
import SystemPackage

struct Init: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a first image.yaml that assembles as it stands.",
    discussion: "Prints the path of the file. A file that is there is never replaced.")

  @Argument(help: "The folder to write to; its name becomes the image's.", completion: .directory)
  var folder = "."

  @OptionGroup var common: CommonOptions

  func run() throws {
    let folder = FilePath(folder)
    let file = folder.appending("image.yaml")
    if try FileSystem.status(of: file, followSymlink: false) != nil {
      throw UsageError.definitionExists(file)
    }
    try FileSystem.createDirectories(folder)
    let name = try FileSystem.absolute(folder).lastComponent?.string ?? "image"
    try writeFile(file, DefinitionTemplate.text(name: name))
    try answer("\(file)\n")
  }
}
