import Foundation
import TestSupport
import Testing

/// Whether a Python with this module is here.
private func hasPythonModule(_ name: String) -> Bool {
  peers("python3") && (try? run("python3", ["-c", "import \(name)"]))?.status == 0
}

@Suite("schema") struct SchemaCommandTests {
  @Test("it is a JSON Schema by its meta-schema", .enabled(if: hasPythonModule("jsonschema")))
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

  @Test(
    "it accepts what assembles and refuses what does not",
    .enabled(if: hasPythonModule("jsonschema") && hasPythonModule("yaml")))
  func judges() throws {
    let workshop = try Workshop()
    _ = try workshop.run(["init", "first"])
    try workshop.folder.write("schema.json", workshop.run(["schema"]).stdout)
    try workshop.folder.write("a-one.yaml", Sample.one)
    try workshop.folder.write("b-two.yaml", Sample.two)
    try workshop.folder.write("c-unknown.yaml", Sample.one + "layer: []\n")
    try workshop.folder.write("d-port.yaml", Sample.one + "  exposedPorts: [70000]\n")
    try workshop.folder.write("e-empty.yaml", "{}\n")
    let judged = try run(
      "python3",
      [
        "-c",
        """
        import json, sys, jsonschema, yaml
        validator = jsonschema.Draft202012Validator(json.load(open('schema.json')))
        for name in sys.argv[1:]:
            print(name, validator.is_valid(yaml.safe_load(open(name))))
        """, "first/image.yaml", "a-one.yaml", "b-two.yaml", "c-unknown.yaml", "d-port.yaml",
        "e-empty.yaml",
      ], in: workshop.path)
    #expect(judged.stderr == "")
    #expect(
      judged.output == """
        first/image.yaml True
        a-one.yaml True
        b-two.yaml True
        c-unknown.yaml False
        d-port.yaml False
        e-empty.yaml False

        """)
  }
}
