import Definition
import SystemPackage
import Testing

/// A definition with mistakes and what is said about them.
struct ComplaintCase: Sendable, CustomTestStringConvertible {
  let name: String
  let yaml: String
  let complaints: [String]

  /// - Parameter yaml: the whole definition.
  init(_ name: String, whole yaml: String, _ complaints: [String]) {
    self.name = name
    self.yaml = yaml
    self.complaints = complaints
  }

  /// - Parameter yaml: what follows three lines that are right.
  init(_ name: String, after yaml: String, _ complaints: [String]) {
    let header = "formatVersion: 1\nname: x\nplatforms: [linux/amd64, linux/arm64]\n"
    self.init(name, whole: header + yaml, complaints)
  }

  var testDescription: String { name }

  func check(sourceLocation: Testing.SourceLocation = #_sourceLocation) {
    let found: [String]
    do {
      _ = try ImageDefinition.parse(Array(yaml.utf8), file: "image.yaml")
      found = []
    } catch DefinitionError.invalid(let file, let complaints) {
      found = complaints.map { $0.description(in: file) }
    } catch {
      found = ["\(error)"]
    }
    #expect(found == complaints, sourceLocation: sourceLocation)
  }
}
