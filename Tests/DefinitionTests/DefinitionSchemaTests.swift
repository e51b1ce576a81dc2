import Bindings
import Foundation
import OCISpec
import SystemPackage
import TestSupport
import Testing

@testable import Definition

@Suite("DefinitionSchema")
struct DefinitionSchemaTests {
  @Test("every key that is in the parser's tables has its place and help in the schema")
  func keys() throws {
    var seen: [String] = []
    try check(.image, DefinitionSchema.json, at: "", &seen)
    #expect(seen.count == 65)
    #expect(seen.contains("/layers/entries/xattrs/base64"))
    #expect(seen.contains("/config/healthcheck/startInterval"))
  }

  @Test("the sample that has every key reads every key")
  func sampleIsComplete() throws {
    let text = try String(contentsOfFile: sample("everything.yaml").string, encoding: .utf8)
    var seen: [String] = []
    try check(.image, DefinitionSchema.json, at: "", &seen)
    for key in Set(seen.compactMap { $0.split(separator: "/").last.map(String.init) }) {
      #expect(text.contains("\(key):"), "\(key)")
    }
  }

  @Test("the reference names every key")
  func referenceIsComplete() throws {
    let text = try reference()
    var seen: [String] = []
    try check(.image, DefinitionSchema.json, at: "", &seen)
    for key in Set(seen.compactMap { $0.split(separator: "/").last.map(String.init) }) {
      #expect(text.contains("`\(key)`"), "\(key)")
    }
  }

  @Test("the reference's example is a definition")
  func referenceExample() throws {
    let text = try reference()
    let start = try #require(text.firstRange(of: "```yaml\n"))
    let rest = text[start.upperBound...]
    let end = try #require(rest.firstRange(of: "```"))
    #expect(try parse(String(rest[..<end.lowerBound])).images.count == 2)
  }

  @Test(
    "an independent validator takes the schema and every definition that we take",
    .enabled(if: validator))
  func accepts() throws {
    for definition in try definitions() {
      #expect(throws: Never.self, "\(definition)") { try ImageDefinition.load(definition) }
      let bytes = try FileSystem.readAll(definition, limit: 1 << 20)
      #expect(try validate(bytes) == "", "\(definition)")
    }
    let template = Array(DefinitionTemplate.text(name: "x").utf8)
    #expect(try validate(template) == "")
  }

  @Test(
    "an independent validator refuses what one value alone shows to be wrong",
    .enabled(if: validator),
    arguments: [
      "epcoh: 0", "epoch: -1", "from: 5", "layers: {}", "layers: [{ name: a }]",
      "config: { cmd: run }", "config: { exposedPorts: [70000] }", "config: { stopSignal: TERM }",
      "inputs: { a: {} }", "inputs: { a: { file: x, url: https://e.org } }",
      "inputs: { a: { url: ftp://e.org } }", "inputs: { a: { url: https://e.org, sha256: AB } }",
      "layers: [{ name: a, entries: [{ path: a, text: x }] }]",
      "layers: [{ name: a, entries: [{ path: /a, text: x, mode: 0644 }] }]",
      "layers: [{ name: a, entries: [{ path: /a, directory: false }] }]",
      "layers: [{ name: a, entries: [{ path: /a, remove: yes }] }]",
      "accounts: { users: [{ name: a }] }", "annotations: { a: 1 }", "parameters: { a: 1.10 }",
    ])
  func refuses(_ line: String) throws {
    let header = "formatVersion: 1\nname: x\nplatforms: [linux/amd64]\n"
    #expect(throws: DefinitionError.self) { try parse(header + line) }
    #expect(try validate(Array((header + line).utf8)) != "")
  }

  /// Whether Python's jsonschema is there; without it a test is skipped at a desk and fails in CI.
  private static let validator: Bool = {
    guard peers("python3") else { return false }
    let hasModule = (try? run("python3", ["-c", "import jsonschema"]))?.status == 0
    if !hasModule && ProcessInfo.processInfo.environment["CI"] == "true" {
      Issue.record("missing test peer in CI: python3's jsonschema; run `make deps-test`")
    }
    return hasModule
  }()

  /// - Returns: what the validator complains about.
  private func validate(_ yaml: [UInt8]) throws -> String {
    let node = try #require(try YAML.parse(yaml))
    let program = """
      import json, sys, jsonschema
      schema, value = json.load(sys.stdin)
      jsonschema.Draft202012Validator.check_schema(schema)
      for error in jsonschema.Draft202012Validator(schema).iter_errors(value):
          print(error.json_path, error.message)
      """
    let input = CanonicalJSON.encode(.array([DefinitionSchema.json, json(node)]))
    let finished = try run("python3", ["-c", program], input: Array(input))
    #expect(finished.status == 0, "\(finished.stderr)")
    return finished.output
  }

  /// YAML as an editor's language server sees it.
  private func json(_ node: YAMLNode) -> JSON {
    switch node.value {
    case .sequence(let nodes): return .array(nodes.map(json))
    case .mapping(let members):
      var object = JSONObject()
      for (key, value) in members {
        if case .scalar(let text, _) = key.value { object[text] = json(value) }
      }
      return .object(object)
    case .scalar(let text, isPlain: false): return .string(text)
    case .scalar(let text, isPlain: true):
      switch PlainScalar(text) {
      case .null: return .null
      case .boolean(let value): return .bool(value)
      case .integer(let value): return value.map(JSON.integer) ?? .decimal(text)
      case .float: return .decimal("0.5")
      case .text: return .string(text)
      }
    }
  }

  private func reference() throws -> String {
    let root = samples.removingLastComponent().removingLastComponent()
    return try String(contentsOfFile: root.appending("docs/definition.md").string, encoding: .utf8)
  }

  /// The samples, and the ready-made definitions where there are some.
  private func definitions() throws -> [FilePath] {
    let layouts = samples.removingLastComponent().removingLastComponent().appending("layouts")
    let manager = FileManager.default
    let folders = (try? manager.contentsOfDirectory(atPath: layouts.string)) ?? []
    let readyMade = folders.map { layouts.appending($0).appending("image.yaml") }
      .filter { manager.fileExists(atPath: $0.string) }
    return try manager.contentsOfDirectory(atPath: samples.string).map(sample) + readyMade
  }

  private func check(
    _ shape: ObjectShape, _ schema: JSON?, at path: String, _ seen: inout [String]
  ) throws {
    let schema = try #require(objectSchema(schema), "\(path)")
    let properties = try #require(schema["properties"]?.objectValue)
    #expect(Set(properties.keys) == Set(shape.names), "\(path)")
    #expect(schema["additionalProperties"] == .bool(false))
    for key in shape.keys {
      let place = "\(path)/\(key.name)"
      seen.append(place)
      #expect(properties[key.name]?["description"]?.stringValue?.isEmpty == false, "\(place)")
      try check(key.value, properties[key.name], at: place, &seen)
    }
  }

  private func check(
    _ value: ValueShape, _ schema: JSON?, at path: String, _ seen: inout [String]
  ) throws {
    switch value {
    case .object(let shape): try check(shape, schema, at: path, &seen)
    case .list(let element, _): try check(element, schema?["items"], at: path, &seen)
    case .map(let element, _): try check(element, schema?["additionalProperties"], at: path, &seen)
    case .either(let shapes):
      for (index, shape) in shapes.enumerated() {
        try check(shape, schema?["anyOf"]?.arrayValue?[index], at: path, &seen)
      }
    case .text, .integer, .constant, .alwaysTrue, .null, .byPlatform: break
    }
  }

  private func objectSchema(_ schema: JSON?) -> JSON? { schema?["type"] == "object" ? schema : nil }
}

@Suite("DefinitionTemplate")
struct DefinitionTemplateTests {
  @Test(
    "a first definition is right whatever its folder is called",
    arguments: [
      ("tool", "tool"), ("My Tool", "my-tool"), ("..", "image"), ("", "image"), ("42", "image"),
      ("1e3", "image"), ("null", "image"), ("Ünï", "n--"), ("a\nb", "a-b"), ("-x", "x"),
    ])
  func template(_ folder: String, _ name: String) throws {
    let definition = try parse(DefinitionTemplate.text(name: folder))
    #expect(definition.name == name)
    #expect(definition.warnings.isEmpty)
    let image = try #require(definition.images.first)
    #if arch(arm64)
      #expect(image.platform.description == "linux/arm64")
    #else
      #expect(image.platform.description == "linux/amd64")
    #endif
    #expect(image.layers.map(\.name) == ["files"])
    #expect(image.layers.first?.entries.map(\.path.description) == ["/etc/motd", "/tmp"])
    #expect(image.inputs.isEmpty)
    #expect(image.config.entrypoint == .inherit, "an entrypoint must be in the image")
  }

  @Test("what is in comments is right once it is not")
  func comments() throws {
    let digits = String(repeating: "0", count: 64)
    let text = DefinitionTemplate.text(name: "x").split(separator: "\n").map { line -> Substring in
      guard let mark = line.firstIndex(of: "#"), line[..<mark].allSatisfy({ $0 == " " }) else {
        return line
      }
      let rest = line[line.index(after: mark)...].dropFirst()
      return rest.contains(":") && !rest.contains(" /tmp.") ? line[..<mark] + rest : line
    }
    .filter { !$0.hasPrefix("One file") && !$0.hasPrefix("Values") && !$0.hasPrefix("Files") }
    .joined(separator: "\n")
    .replacing("<64 hexadecimal digits>", with: digits)
    let definition = try parse(text, platforms: nil)
    #expect(definition.parameters == ["version": "1.2.3"])
    #expect(definition.images[0].inputs["tool"]?.member == "tool")
    #expect(definition.images[0].layers[0].entries.count == 4)
    #expect(definition.images[0].config.entrypoint != .inherit)
  }
}
