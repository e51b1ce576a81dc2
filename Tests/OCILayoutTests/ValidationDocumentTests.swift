import Foundation
import OCILayout
import OCISpec
import Reporting
import TestSupport
import Testing

/// One change to one document of a sound image, and the one rule it breaks.
struct DocumentMutation: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let part: TestImage.Part
  let find: String
  let replacement: String
  let pointer: String
  let rule: String
  let severity: Violation.Severity
  /// Whether the image-spec's JSON Schemas see it too.
  let schemaSees: Bool

  init(
    _ name: String, _ part: TestImage.Part, _ find: String, _ replacement: String,
    at pointer: String, _ rule: String, _ severity: Violation.Severity = .must,
    schemaSees: Bool = false
  ) {
    testDescription = name
    self.part = part
    self.find = find
    self.replacement = replacement
    self.pointer = pointer
    self.rule = rule
    self.severity = severity
    self.schemaSees = schemaSees
  }

  func apply(_ part: TestImage.Part, _ text: String) throws -> String {
    guard part == self.part else { return text }
    let changed = text.replacingOccurrences(of: find, with: replacement)
    try #require(changed != text, "the document does not have \(find)")
    return changed
  }

  static let all: [DocumentMutation] = [
    // oci-layout
    .init(
      "a layout version that is not known", .layoutFile, "1.0.0", "1.1.0",
      at: "/imageLayoutVersion", "image-layout.md: oci-layout", schemaSees: true),
    .init(
      "no layout version", .layoutFile, #""imageLayoutVersion":"1.0.0""#, "", at: "",
      "image-layout.md: oci-layout", schemaSees: true),
    .init(
      "a layout version that is a number", .layoutFile, #""1.0.0""#, "1", at: "/imageLayoutVersion",
      "image-layout.md: oci-layout", schemaSees: true),
    // index.json
    .init(
      "an index of schema version 1", .index, #""schemaVersion":2"#, #""schemaVersion":1"#,
      at: "/schemaVersion", "image-index.md: schemaVersion", schemaSees: true),
    .init(
      "an index without schema version", .index, #","schemaVersion":2"#, "", at: "",
      "image-index.md: schemaVersion", schemaSees: true),
    .init(
      "an index of another media type", .index,
      #""mediaType":"application/vnd.oci.image.index.v1+json""#,
      #""mediaType":"application/vnd.oci.image.manifest.v1+json""#, at: "/mediaType",
      "image-index.md: mediaType"),
    .init(
      "an index without media type", .index,
      #","mediaType":"application/vnd.oci.image.index.v1+json""#, "", at: "",
      "image-index.md: mediaType", .should),
    .init(
      "an index that is a manifest too", .index, #""schemaVersion":2"#,
      #""layers":[],"schemaVersion":2"#, at: "/layers",
      "image-index.md: ambiguous document (CVE-2021-41190)"),
    .init(
      "an index with a config", .index, #""schemaVersion":2"#, #""config":{},"schemaVersion":2"#,
      at: "/config", "image-index.md: ambiguous document (CVE-2021-41190)"),
    .init(
      "a platform without os", .index, #","os":"linux""#, "", at: "/manifests/0/platform",
      "image-index.md: platform", schemaSees: true),
    .init(
      "a platform without architecture", .index, #""architecture":"amd64","#, "",
      at: "/manifests/0/platform", "image-index.md: platform", schemaSees: true),
    .init(
      "a platform whose features are no list", .index, #""os":"linux""#,
      #""os":"linux","os.features":"a""#, at: "/manifests/0/platform/os.features",
      "image-index.md: platform", schemaSees: true),
    .init(
      "a tag that begins with a separator", .index, #":"latest""#, #":"-latest""#,
      at: "/manifests/0/annotations/org.opencontainers.image.ref.name",
      "annotations.md: org.opencontainers.image.ref.name", .should),
    .init(
      "a tag with a blank", .index, #":"latest""#, #":"la test""#,
      at: "/manifests/0/annotations/org.opencontainers.image.ref.name",
      "annotations.md: org.opencontainers.image.ref.name", .should),
    .init(
      "an artifact type without a slash", .index, #""schemaVersion":2"#,
      #""artifactType":"text","schemaVersion":2"#, at: "/artifactType",
      "image-index.md: artifactType", schemaSees: true),
    // the manifest
    .init(
      "a manifest of schema version 1", .manifest, #""schemaVersion":2"#, #""schemaVersion":1"#,
      at: "/schemaVersion", "manifest.md: schemaVersion", schemaSees: true),
    .init(
      "a schema version in quotes", .manifest, #""schemaVersion":2"#, #""schemaVersion":"2""#,
      at: "/schemaVersion", "manifest.md: schemaVersion", schemaSees: true),
    .init(
      "a manifest of another media type", .manifest,
      #""mediaType":"application/vnd.oci.image.manifest.v1+json""#,
      #""mediaType":"application/vnd.docker.distribution.manifest.v2+json""#, at: "/mediaType",
      "manifest.md: mediaType"),
    .init(
      "a manifest that is an index too", .manifest, #""schemaVersion":2"#,
      #""manifests":[],"schemaVersion":2"#, at: "/manifests",
      "manifest.md: ambiguous document (CVE-2021-41190)"),
    .init(
      "annotations that are no map", .manifest, #"{"org.example.key":"value"}"#, "[]",
      at: "/annotations", "manifest.md: annotations", schemaSees: true),
    .init(
      "an annotation that is a number", .manifest, #":"value""#, ":1",
      at: "/annotations/org.example.key", "annotations.md: rules", schemaSees: true),
    .init(
      "an annotation key with a slash is named by its JSON pointer", .manifest,
      #""org.example.key":"value""#, #""a/b~c":true"#, at: "/annotations/a~1b~0c",
      "annotations.md: rules", schemaSees: true),
    .init(
      "an annotation without a key", .manifest, "org.example.key", "", at: "/annotations/",
      "annotations.md: rules"),
    .init(
      "an annotation in the reserved namespace", .manifest, "org.example.key",
      "org.opencontainers.image.mine", at: "/annotations/org.opencontainers.image.mine",
      "annotations.md: rules", .should),
    .init(
      "an annotation with a date that does not exist", .manifest, #""org.example.key":"value""#,
      #""org.opencontainers.image.created":"2025-02-29T00:00:00Z""#,
      at: "/annotations/org.opencontainers.image.created", "annotations.md: created"),
    .init(
      "annotations that are null", .manifest, #"{"org.example.key":"value"}"#, "null",
      at: "/annotations", "manifest.md: annotations", schemaSees: true),
    .init(
      "a subject without size", .manifest, #""schemaVersion":2"#,
      #""schemaVersion":2,"subject":{"mediaType":"a/b","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}"#,
      at: "/subject", "descriptor.md: size", schemaSees: true),
    .init(
      "URLs that are no list", .manifest, #""mediaType":"application/vnd.oci.image.layer.v1.tar","#,
      #""mediaType":"application/vnd.oci.image.layer.v1.tar","urls":"https://example.org","#,
      at: "/layers/0/urls", "descriptor.md: urls", schemaSees: true),
    .init(
      "a URL of another scheme", .manifest,
      #""mediaType":"application/vnd.oci.image.layer.v1.tar","#,
      #""mediaType":"application/vnd.oci.image.layer.v1.tar","urls":["ftp://example.org/x"],"#,
      at: "/layers/0/urls/0", "descriptor.md: urls", .should),
    .init(
      "embedded data that is no base64", .manifest,
      #""mediaType":"application/vnd.oci.image.layer.v1.tar","#,
      #""data":"a","mediaType":"application/vnd.oci.image.layer.v1.tar","#, at: "/layers/0/data",
      "descriptor.md: data"),
    .init(
      "embedded data of another size", .manifest,
      #""mediaType":"application/vnd.oci.image.layer.v1.tar","#,
      #""data":"YWJj","mediaType":"application/vnd.oci.image.layer.v1.tar","#, at: "/layers/0/data",
      "descriptor.md: data"),
    // the config
    .init(
      "a config without architecture", .config, #""architecture":"amd64","#, "", at: "",
      "config.md: architecture, os", schemaSees: true),
    .init(
      "a config without os", .config, #""os":"linux","#, "", at: "", "config.md: architecture, os",
      schemaSees: true),
    .init(
      "a config without rootfs", .config, #","rootfs":"#, #","other":"#, at: "",
      "config.md: rootfs", schemaSees: true),
    .init(
      "a rootfs of another type", .config, #""type":"layers""#, #""type":"tar""#,
      at: "/rootfs/type", "config.md: rootfs.type", schemaSees: true),
    .init(
      "a time without zone", .config, #""created":"1970-01-01T00:00:00Z","history""#,
      #""created":"1970-01-01T00:00:00","history""#, at: "/created", "config.md: created"),
    .init(
      "a history time that is a date", .config, #"[{"created":"1970-01-01T00:00:00Z""#,
      #"[{"created":"1970-01-01""#, at: "/history/0/created", "config.md: history.created"),
    .init(
      "a history with a layer too many", .config, #""empty_layer":true"#, #""empty_layer":false"#,
      at: "/history", "config.md: history"),
    .init(
      "an empty_layer in quotes", .config, #""empty_layer":true"#, #""empty_layer":"true""#,
      at: "/history/1/empty_layer", "config.md: history.empty_layer", schemaSees: true),
    .init(
      "a variable without value", .config, "PATH=/bin", "PATH", at: "/config/Env/0",
      "config.md: config.Env"),
    .init(
      "a variable without name", .config, "PATH=/bin", "=/bin", at: "/config/Env/0",
      "config.md: config.Env"),
    .init(
      "variables as a map", .config, #"["PATH=/bin"]"#, #"{"PATH":"/bin"}"#, at: "/config/Env",
      "config.md: config.Env", schemaSees: true),
    .init(
      "a command that is a string", .config, #"["/bin/sh"]"#, #""/bin/sh""#, at: "/config/Cmd",
      "config.md: config.Cmd", schemaSees: true),
    .init(
      "a command with a number", .config, #"["/bin/sh"]"#, #"["/bin/sh",1]"#, at: "/config/Cmd/1",
      "config.md: config.Cmd", schemaSees: true),
    .init(
      "a port beyond 65535", .config, "4317/tcp", "70000/tcp",
      at: "/config/ExposedPorts/70000~1tcp", "config.md: config.ExposedPorts"),
    .init(
      "a port of an unknown protocol", .config, "4317/tcp", "4317/http",
      at: "/config/ExposedPorts/4317~1http", "config.md: config.ExposedPorts"),
    .init(
      "ports as a list", .config, #"{"4317/tcp":{}}"#, #"["4317/tcp"]"#, at: "/config/ExposedPorts",
      "config.md: config.ExposedPorts", schemaSees: true),
    .init(
      "a volume that is no empty map", .config, #"{"/data":{}}"#, #"{"/data":true}"#,
      at: "/config/Volumes/~1data", "config.md: config.Volumes", schemaSees: true),
    .init(
      "a label that is a number", .config, #""vendor":"example""#, #""vendor":1"#,
      at: "/config/Labels/vendor", "annotations.md: rules", schemaSees: true),
    .init(
      "a user that is a number", .config, #""Env":"#, #""User":0,"Env":"#, at: "/config/User",
      "config.md: config.User", schemaSees: true),
    .init(
      "a config platform that is not its descriptor's", .config, #""os":"linux""#,
      #""os":"windows""#, at: "", "image-index.md: platform"),
  ]

  /// What is allowed, though it looks odd.
  static let allowed: [DocumentMutation] = [
    .init(
      "lists that Go writes as null", .config, #""Cmd":["/bin/sh"]"#,
      #""Cmd":null,"Entrypoint":null"#, at: "", ""),
    .init("no history", .config, #""history":"#, #""past":"#, at: "", ""),
    .init(
      "members that nobody knows", .manifest, #""schemaVersion":2"#,
      #""schemaVersion":2,"x":[null]"#, at: "", ""),
    .init(
      "a tag with every separator", .index, #":"latest""#, #":"a/b-c.d_e:f@g+h--i""#, at: "", ""),
    .init("a port without protocol", .config, "4317/tcp", "4317", at: "", ""),
    .init(
      "embedded data that is the content", .manifest, #""schemaVersion":2"#,
      #""schemaVersion":2,"subject":{"mediaType":"a/b","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="}"#,
      at: "", ""),
  ]
}

@Suite("DocumentValidation")
struct ValidationDocumentTests {
  static func image() throws -> TestImage { try TestImage([[.file("bin/sh", "#!")]]) }

  @Test("a sound image breaks no rule")
  func sound() throws {
    let directory = try TemporaryDirectory()
    try Self.image().write(to: directory.path, directory)
    #expect(try ImageValidator.validateLayout(root: directory.path) == [])
    #expect(try ImageValidator.validateLayoutFiles(root: directory.path) == [])
  }

  @Test("one change breaks one rule", arguments: DocumentMutation.all)
  func breaks(_ mutation: DocumentMutation) throws {
    let directory = try TemporaryDirectory()
    var image = try Self.image()
    image.change = mutation.apply
    try image.write(to: directory.path, directory)
    let violations = try ImageValidator.validateLayout(root: directory.path)
    #expect(violations.count == 1, "\(violations)")
    let violation = try #require(violations.first)
    #expect(violation.pointer == mutation.pointer)
    #expect(violation.rule == mutation.rule)
    #expect(violation.severity == mutation.severity)
    let subject =
      switch mutation.part {
      case .layoutFile: "oci-layout"
      case .index: "index.json"
      case .manifest: "manifest sha256:"
      case .config: "config sha256:"
      }
    #expect(violation.subject.hasPrefix(subject))
    #expect(violation.text.wholeMatch(of: /expected .+, found .+/) != nil)
  }

  @Test("what the specification allows is no violation", arguments: DocumentMutation.allowed)
  func allows(_ mutation: DocumentMutation) throws {
    let directory = try TemporaryDirectory()
    var image = try Self.image()
    image.change = mutation.apply
    try image.write(to: directory.path, directory)
    #expect(try ImageValidator.validateLayout(root: directory.path) == [])
  }

  @Test("several broken rules come in one answer, across documents")
  func several() throws {
    let directory = try TemporaryDirectory()
    var image = try Self.image()
    image.change = { part, text in
      switch part {
      case .layoutFile: text.replacingOccurrences(of: "1.0.0", with: "2")
      case .manifest: text.replacingOccurrences(of: ":2}", with: ":3}")
      case .config:
        text.replacingOccurrences(of: "4317", with: "0").replacingOccurrences(
          of: "PATH=", with: "PATH")
      case .index: text.replacingOccurrences(of: #""schemaVersion":2"#, with: #""config":1"#)
      }
    }
    try image.write(to: directory.path, directory)
    let rules = try ImageValidator.validateLayout(root: directory.path).map(\.rule)
    #expect(
      rules == [
        "image-layout.md: oci-layout", "image-index.md: schemaVersion",
        "image-index.md: ambiguous document (CVE-2021-41190)", "manifest.md: schemaVersion",
        "config.md: config.Env", "config.md: config.ExposedPorts",
      ])
  }

  @Test(
    "descriptors follow their grammar",
    arguments: [
      (
        #"{"mediaType":"a/b","digest":"sha256:abc","size":1}"#, "/config/digest",
        "descriptor.md: digests", Violation.Severity.must
      ),
      (
        #"{"mediaType":"a/b","digest":"sha256","size":1}"#, "/config/digest",
        "descriptor.md: digests", .must
      ),
      (
        #"{"mediaType":"a/b","digest":"SHA256:AB","size":1}"#, "/config/digest",
        "descriptor.md: digests", .must
      ),
      (
        #"{"mediaType":"a/b","digest":"multihash+base58:QmRZ","size":1}"#, "/config/digest",
        "descriptor.md: digests", .should
      ),
      (
        #"{"mediaType":"a","digest":"x:y","size":1}"#, "/config/mediaType",
        "descriptor.md: mediaType", .must
      ),
      (
        #"{"mediaType":"a/b","digest":"x:y","size":-1}"#, "/config/size", "descriptor.md: size",
        .must
      ),
      (
        #"{"mediaType":"a/b","digest":"x:y","size":"1"}"#, "/config/size", "descriptor.md: size",
        .must
      ),
      (
        #"{"mediaType":"a/b","digest":"x:y","size":9223372036854775808}"#, "/config/size",
        "descriptor.md: size", .must
      ),
      (#"{"digest":"x:y","size":1}"#, "/config", "descriptor.md: mediaType", .must),
    ])
  func descriptor(text: String, pointer: String, rule: String, severity: Violation.Severity) throws
  {
    let document =
      #"{"schemaVersion":2,"mediaType":"\#(MediaType.imageManifest)","layers":[],"config":\#(text)}"#
    let violations = DocumentValidation.manifest(
      try JSON(parsing: document.utf8), subject: "manifest")
    #expect(
      violations.contains { $0.pointer == pointer && $0.rule == rule && $0.severity == severity },
      "\(violations)")
  }

  @Test("an empty config needs an artifact type")
  func emptyConfig() throws {
    let document =
      #"{"schemaVersion":2,"mediaType":"\#(MediaType.imageManifest)","layers":[],"config":{"mediaType":"\#(MediaType.empty)","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}}"#
    let violations = DocumentValidation.manifest(
      try JSON(parsing: document.utf8), subject: "manifest")
    #expect(violations.map(\.rule) == ["manifest.md: artifactType", "manifest.md: layers"])
    #expect(violations.map(\.severity) == [.must, .should])
  }

  @Test("a violation is one printable line")
  func description() {
    let violation = Violation(
      .should, subject: "config sha256:ab", pointer: "/a\u{1B}[2J", rule: "config.md: config",
      text: "expected a, found b")
    #expect(
      violation.description
        == "config sha256:ab at /a\\u{1b}[2J: expected a, found b (advice of config.md: config)")
  }
}

@Suite("DocumentValidation and the image-spec's JSON Schemas")
struct ValidationSchemaTests {
  /// `../shared/data/image-spec-1.1.1` of the repository or of a folder above it, as worktrees have it.
  static let schemas: URL? = {
    var folder = URL(fileURLWithPath: #filePath)
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      let schemas = folder.appendingPathComponent("shared/data/image-spec-1.1.1")
      if FileManager.default.fileExists(atPath: schemas.path) { return schemas }
    }
    return nil
  }()

  @Test(
    "agree on every change that they can see", .enabled(if: peers("python3")),
    .enabled(if: schemas != nil, "there is no ../shared/data/image-spec-1.1.1"))
  func agree() throws {
    let folder = try #require(Self.schemas)
    let mutations = DocumentMutation.all + DocumentMutation.allowed
    let directory = try TemporaryDirectory()
    var lines = ""
    for mutation in mutations {
      var image = try ValidationDocumentTests.image()
      var document = ""
      image.change = { part, text in
        let changed = try mutation.apply(part, text)
        if part == mutation.part { document = changed }
        return changed
      }
      try image.write(to: directory.path, directory)
      let schema =
        switch mutation.part {
        case .layoutFile: "image-layout-schema.json"
        case .index: "image-index-schema.json"
        case .manifest: "image-manifest-schema.json"
        case .config: "config-schema.json"
        }
      lines += "\(schema)\t\(document)\n"
    }
    let verdicts = try run(
      "python3", ["-W", "ignore", "-c", Self.script, folder.path], input: Array(lines.utf8))
    try #require(verdicts.status == 0, "\(verdicts.stderr)")
    let rejects = verdicts.output.split(separator: "\n").map { $0 == "rejects" }
    try #require(rejects.count == mutations.count)
    for (mutation, rejects) in zip(mutations, rejects) {
      #expect(rejects == mutation.schemaSees, "\(mutation.testDescription)")
    }
  }

  private static let script = """
    import json, os, sys
    from jsonschema import Draft4Validator, RefResolver
    def load(uri): return json.load(open(os.path.join(sys.argv[1], os.path.basename(uri))))
    for line in sys.stdin:
        name, document = line.rstrip('\\n').split('\\t')
        schema = load(name)
        resolver = RefResolver.from_schema(schema, handlers={'https': load})
        valid = Draft4Validator(schema, resolver=resolver).is_valid(json.loads(document))
        print('accepts' if valid else 'rejects')
    """
}
