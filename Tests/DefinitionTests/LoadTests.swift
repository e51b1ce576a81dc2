import Bindings
import Definition
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("ImageDefinition.load")
struct LoadTests {
  private let text = """
    formatVersion: 1
    name: x
    parameters: { version: "1", flavour: plain }
    platforms: [linux/amd64, linux/arm64]
    config: { author: "${version} ${flavour} ${arch}" }
    """

  @Test("a folder stands for the image.yaml in it, and relative paths start there")
  func folder() throws {
    let folder = try TemporaryDirectory()
    let file = try folder.write(
      "image.yaml", text + "\nlayers: [{ name: l, entries: [{ path: /a, file: sub/a }] }]\n")
    for path in [folder.path, file] {
      let definition = try ImageDefinition.load(path)
      #expect(definition.file == file)
      #expect(definition.directory == folder.path)
      guard case .file(let local) = definition.images[0].layers[0].entries[0].content else {
        Issue.record("not a file")
        continue
      }
      #expect(local == folder.path.appending("sub/a"))
    }
  }

  @Test("a byte order mark at the beginning is skipped and counts for no column")
  func byteOrderMark() throws {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    #expect(try ImageDefinition.parse(mark + Array(text.utf8), file: "image.yaml").name == "x")
    let error = #expect(throws: DefinitionError.self) {
      try ImageDefinition.parse(mark + Array("nmae: x\n".utf8), file: "image.yaml")
    }
    #expect(error?.description.contains("image.yaml:1:1: ") == true)
  }

  @Test("a definition that is not there ends in not found and the way out")
  func missing() throws {
    let folder = try TemporaryDirectory()
    for (path, file) in [
      (folder.path, folder.path.appending("image.yaml")),
      (folder.path.appending("other.yaml"), folder.path.appending("other.yaml")),
    ] {
      let error = #expect(throws: DefinitionError.self) { try ImageDefinition.load(path) }
      #expect(error?.kind == .notFound)
      #expect(
        error?.description
          == "no image definition at \"\(file)\"; \"ociforge init\" writes a first one")
    }
  }

  @Test("what is wrong with a definition is data, one line a complaint")
  func invalid() throws {
    let error = #expect(throws: DefinitionError.self) {
      try parse("formatVersion: 1\nname: X\nplatforms: [linux/amd64]\nepcoh: 1\n")
    }
    #expect(error?.kind == .data)
    #expect(
      error?.description == """
        image.yaml:2:7: name: expected a name of lower-case letters, digits, ".", "_" and "-" that starts with a letter or digit, found "X"
        image.yaml:4:1: expected a known key, found "epcoh"; did you mean "epoch"?
        """)
  }

  @Test("an override is the parameter's value")
  func overrides() throws {
    let definition = try parse(text, overrides: ["version": "1.10"])
    #expect(definition.parameters == ["version": "1.10", "flavour": "plain"])
    #expect(
      definition.images.map(\.config.author) == [
        .set("1.10 plain amd64"), .set("1.10 plain arm64"),
      ])
  }

  @Test("an override of no parameter is wrong usage, with the nearest name")
  func unknownOverride() throws {
    let error = #expect(throws: DefinitionError.self) {
      try parse(text, overrides: ["versoin": "2"])
    }
    #expect(error?.kind == .usage)
    #expect(
      error?.description
        == "--set: expected a parameter of the definition, found \"versoin\"; did you mean \"version\"?"
    )
  }

  @Test("a platform that was asked for is read alone, in the definition's spelling")
  func platforms() throws {
    let definition = try parse(text, platforms: [Platform(parsing: "linux/arm64/v8")])
    #expect(definition.images.map(\.platform.description) == ["linux/arm64"])
    #expect(try parse(text, platforms: []).images.count == 2)
  }

  @Test("a platform that the definition does not have is wrong usage")
  func unknownPlatform() throws {
    let error = #expect(throws: DefinitionError.self) {
      try parse(text, platforms: [Platform(parsing: "linux/s390x")])
    }
    #expect(error?.kind == .usage)
    #expect(
      error?.description
        == "--platform: expected a platform of the definition, found \"linux/s390x\"; there are \"linux/amd64\", \"linux/arm64\""
    )
  }

  @Test("without platforms in the definition the command line's are taken as they are")
  func platformsFromOutside() throws {
    let text = "formatVersion: 1\nname: x\nconfig: { author: \"${os}/${arch}/${variant}\" }\n"
    let platforms = try ["linux/s390x", "linux/arm/v7"].map { try Platform(parsing: $0) }
    let definition = try parse(text, platforms: platforms)
    #expect(
      definition.images.map(\.config.author) == [.set("linux/arm/v7"), .set("linux/s390x/")])
  }

  @Test("mistakes in the definition and on the command line come together, the definition's first")
  func both() throws {
    let error = #expect(throws: FailureList.self) {
      try parse(
        text.replacing("name: x", with: "name: X"), overrides: ["b": "", "a": ""])
    }
    #expect(error?.kind == .data)
    #expect(error?.failures.count == 3)
  }

  @Test("a map by platform need not know platforms that were not asked for")
  func partialMap() throws {
    let text =
      text + "\nlayers: [{ name: l, entries: [{ path: /a, input: i }] }]\n"
      + "inputs: { i: { file: { linux/amd64: x } } }\n"
    let definition = try parse(text, platforms: [Platform(parsing: "linux/amd64")])
    #expect(definition.images[0].inputs["i"]?.source == .file("./x"))
    #expect(throws: DefinitionError.self) { try parse(text) }
  }
}
