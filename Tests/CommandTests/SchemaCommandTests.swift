import Foundation
import TestSupport
import Testing

/// Whether a Python with jsonschema is here (`make deps-test`); in CI it has to be.
private let canCheckSchemas: Bool =
  peers("python3")
  && (ProcessInfo.processInfo.environment["CI"] == "true"
    || (try? run("python3", ["-c", "import jsonschema"]))?.status == 0)

@Suite("schema") struct SchemaCommandTests {
  @Test("it is a JSON Schema by its meta-schema", .enabled(if: canCheckSchemas))
  func metaSchema() throws {
    let schema = try Workshop().run(["schema"])
    #expect(schema.status == 0)
    #expect(schema.stderr == "")
    let checked = try run(
      "python3",
      [
        "-c",
        """
        import json, sys, jsonschema
        schema = json.load(sys.stdin)
        checker = jsonschema.validators.validator_for(schema, default=None)
        checker.check_schema(schema)
        print(checker.__name__)
        """,
      ], input: schema.stdout)
    #expect(checked.status == 0, "\(checked.stderr)")
    #expect(checked.output == "Draft202012Validator\n")
  }

  struct Definition: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// JSON, which is YAML too, so that both sides read the same text.
    let json: String
    let isRight: Bool

    init(_ name: String, _ members: String, isRight: Bool = false) {
      testDescription = name
      json = "{ \(members) }"
      self.isRight = isRight
    }
  }

  private static let header = #""formatVersion": 1, "name": "x", "platforms": ["linux/amd64"]"#

  @Test(
    "it accepts what assembles and refuses what does not", .enabled(if: canCheckSchemas),
    arguments: [
      Definition("the least", header, isRight: true),
      Definition(
        "a layer with a text and a link",
        header
          + #", "layers": [{ "name": "l", "entries": [{ "path": "/a", "text": "a", "mode": "0600" }, { "path": "/b", "symlink": "a" }] }]"#,
        isRight: true),
      Definition(
        "a config with a field to reset",
        header
          + #", "config": { "exposedPorts": [80, "53/udp"], "env": { "A": "b" }, "cmd": null }"#,
        isRight: true),
      Definition("nothing", ""),
      Definition(
        "another version", #""formatVersion": 2, "name": "x", "platforms": ["linux/amd64"]"#),
      Definition("an unknown key", header + #", "layer": []"#),
      Definition("a wrong type", header + #", "config": { "entrypoint": "/bin/tool" }"#),
      Definition("a port of 70000", header + #", "config": { "exposedPorts": [70000] }"#),
      Definition(
        "two contents",
        header
          + #", "layers": [{ "name": "l", "entries": [{ "path": "/a", "text": "a", "file": "a" }] }]"#
      ),
      Definition(
        "a number for a mode",
        header
          + #", "layers": [{ "name": "l", "entries": [{ "path": "/a", "text": "a", "mode": 644 }] }]"#
      ),
    ])
  func judges(_ definition: Definition) throws {
    let workshop = try Workshop()
    try workshop.folder.write("image.yaml", definition.json)
    try workshop.folder.write("schema.json", workshop.run(["schema"]).stdout)
    let assembled = try workshop.run(["assemble", "-q"])
    #expect(assembled.status == (definition.isRight ? 0 : 65))
    let judged = try run(
      "python3",
      [
        "-c",
        """
        import json, jsonschema
        schema, definition = (json.load(open(name)) for name in ('schema.json', 'image.yaml'))
        print(jsonschema.Draft202012Validator(schema).is_valid(definition))
        """,
      ], in: workshop.path)
    #expect(judged.status == 0, "\(judged.stderr)")
    #expect(judged.output == (definition.isRight ? "True\n" : "False\n"))
  }
}
