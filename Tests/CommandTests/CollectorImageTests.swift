import Foundation
import SystemPackage
import TestSupport
import Testing

/// The motivating case from end to end: a release archive and a CA bundle, fetched over HTTPS, as an image
/// for two platforms that others read, unpack and run.
@Suite(.enabled(if: peers("nginx", "openssl", "gcc")))
struct CollectorImageTests {
  private let release: CollectorRelease
  private var room: Room { release.room }

  init() throws { release = try CollectorRelease() }

  @Test("skopeo reads and copies both platforms", .enabled(if: peers("skopeo")))
  func skopeo() throws {
    let digest = try release.assemble("-o", "layout")
    let raw = try run("skopeo", ["inspect", "--raw", "oci:layout:latest"], in: room.path)
    let sum = try run("sha256sum", input: raw.stdout).output.prefix(64)
    #expect("sha256:\(sum)" == digest)
    for architecture in ["amd64", "arm64"] {
      let override = [
        "--insecure-policy", "--override-os", "linux", "--override-arch", architecture,
      ]
      for destination in ["oci:copy-\(architecture):latest", "dir:folder-\(architecture)"] {
        let copied = try run(
          "skopeo", override + ["copy", "oci:layout:latest", destination], in: room.path)
        #expect(copied.status == 0, "\(copied.stderr)")
      }
      let summary = try run(
        "skopeo",
        override + [
          "inspect", "--format", "{{.Os}} {{.Architecture}} {{.Created}} {{len .Layers}}",
          "dir:folder-\(architecture)",
        ], in: room.path)
      #expect(summary.output == "linux \(architecture) 1970-01-01 00:00:00 +0000 UTC 2\n")
      try room.expectValid("copy-\(architecture):latest")
    }
    let all = try run(
      "skopeo", ["--insecure-policy", "copy", "--all", "oci:layout:latest", "dir:all"],
      in: room.path)
    #expect(all.status == 0, "\(all.stderr)")
    #expect(try release.sha256("all/manifest.json") == digest.dropFirst("sha256:".count))
    try room.expectValid("layout")
  }

  @Test(
    "umoci unpacks exactly the files, modes and owners", .enabled(if: peers("umoci")),
    arguments: ["amd64", "arm64"])
  func umoci(architecture: String) throws {
    try release.assemble("-o", "layout", "--platform", "linux/\(architecture)")
    let expected = [
      "etc d 755",
      "etc/otel d 755",
      "etc/otel/bin d 755",
      "etc/otel/bin/otel-collector f 755",
      "etc/ssl d 755",
      "etc/ssl/certs d 755",
      "etc/ssl/certs/ca-certificates.crt f 644",
    ]
    try room.peer("umoci", "unpack", "--rootless", "--image", "layout:latest", "rootless")
    #expect(try room.tree("rootless/rootfs", owners: false) == expected)
    for (file, origin) in [
      ("etc/otel/bin/otel-collector", "otelcol-\(architecture)"),
      ("etc/ssl/certs/ca-certificates.crt", "www/cacert.pem"),
    ] {
      try room.peer("cmp", "rootless/rootfs/\(file)", origin)
    }
    if isRoot {
      try room.peer("umoci", "unpack", "--image", "layout:latest", "bundle")
      #expect(try room.tree("bundle/rootfs") == expected.map { "\($0) 0:0" })
    }
    try room.expectValid("layout")
  }

  @Test(
    "every document keeps to the image-spec's JSON Schemas",
    .enabled(if: works("python3", "-c", "import jsonschema, referencing"), "no jsonschema"),
    .enabled(if: FileManager.default.fileExists(atPath: schemas), "no \(schemas)"))
  func schema() throws {
    try release.assemble("-o", "layout")
    try room.directory.write("check.py", Self.schemaCheck)
    #expect(
      try room.peer("python3", "check.py", Self.schemas, "layout") == """
        oci-layout image-layout-schema.json
        index.json image-index-schema.json
        index image-index-schema.json
        manifest image-manifest-schema.json
        config config-schema.json
        manifest image-manifest-schema.json
        config config-schema.json

        """)
    try room.expectValid("layout")
  }

  private static let schemas = repository.removingLastComponent()
    .appending("shared/data/image-spec-1.1.1").string

  private static let schemaCheck = """
    import json, pathlib, sys
    from jsonschema import Draft4Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT4

    schemas, layout = map(pathlib.Path, sys.argv[1:])

    def retrieve(uri):
        text = (schemas / uri.rsplit("/", 1)[1]).read_text()
        return Resource.from_contents(json.loads(text), default_specification=DRAFT4)

    def check(name, path, schema):
        document = json.loads(path.read_text())
        validator = Draft4Validator(
            json.loads((schemas / schema).read_text()), registry=Registry(retrieve=retrieve))
        validator.validate(document)
        print(name, schema)
        return document

    def descend(descriptor):
        blob = layout / "blobs" / descriptor["digest"].replace(":", "/")
        if ".index." in descriptor["mediaType"]:
            for child in check("index", blob, "image-index-schema.json")["manifests"]:
                descend(child)
        elif ".manifest." in descriptor["mediaType"]:
            descend(check("manifest", blob, "image-manifest-schema.json")["config"])
        else:
            check("config", blob, "config-schema.json")

    check("oci-layout", layout / "oci-layout", "image-layout-schema.json")
    for descriptor in check("index.json", layout / "index.json", "image-index-schema.json")["manifests"]:
        descend(descriptor)

    """

  @Test(
    "podman and runc run its entrypoint", .enabled(if: peers("podman", "runc") && isRoot))
  func podman() throws {
    try release.assemble("-o", "layout", "-t", "v1")
    let count = try room.peer("grep", "-c", "BEGIN CERTIFICATE", "www/cacert.pem")
    let printed = try room.podman(
      podmanRun + ["oci:layout:v1", "--config", "config.yaml"])
    #expect(
      printed == """
        argument --config
        argument config.yaml
        user 10001:10001
        directory /etc/otel/bin
        certificates \(count)
        """)
    try room.expectValid("layout")
  }

  @Test("with the server gone, --offline gives the same digest from the cache")
  func offline() throws {
    let digest = try release.assemble("-o", "layout")
    release.stopServer()
    #expect(try release.assemble("-o", "again", "--offline") == digest)
    #expect(try release.assemble("-o", "once-more") == digest)
    for layout in ["layout", "again", "once-more"] { try room.expectValid(layout) }
  }

  @Test(
    "--offline with nothing in the cache is an error and opens no socket",
    .enabled(if: peers("strace")))
  func offlineWithoutCache() throws {
    let trace = ["strace", "-f", "-e", "trace=socket,connect", "-o", room("trace")]
    let offline = try release.forge(["-o", "layout", "--offline"], under: trace)
    #expect(offline.status == 69)
    #expect(offline.output == "")
    for file in ["amd64.tar.gz", "arm64.tar.gz", "cacert.pem"] {
      #expect(offline.stderr.contains(file), "\(offline.stderr)")
    }
    let calls = try String(contentsOfFile: room("trace"), encoding: .utf8)
    #expect(!calls.contains("AF_INET"), "\(calls)")
    #expect(!FileManager.default.fileExists(atPath: room("layout/index.json")))
    // The same eyes see the sockets of a run that may open them.
    #expect(try release.forge(["-o", "layout"], under: trace).status == 0)
    #expect(try String(contentsOfFile: room("trace"), encoding: .utf8).contains("AF_INET"))
    try room.expectValid("layout")
  }

  @Test("a wrong digest is an error that says what was expected and found, and tags nothing")
  func wrongDigest() throws {
    let before = try release.assemble("-o", "layout", "--platform", "linux/arm64")
    let found = try release.sha256(release.archive("amd64"))
    let expected = String(repeating: "5", count: 64)
    try release.edit(found, expected)
    let finished = try release.forge(["-o", "layout"])
    #expect(finished.status == 65)
    #expect(finished.output == "")
    #expect(finished.stderr.contains("expected sha256:\(expected)"), "\(finished.stderr)")
    #expect(finished.stderr.contains("sha256:\(found)"), "\(finished.stderr)")
    #expect(
      try room.peer("skopeo", "inspect", "--format", "{{.Digest}}", "oci:layout:latest")
        == "\(before)\n")
    try room.expectValid("layout")
  }

  @Test("an input without a digest is an error that prints the line to paste, which then is right")
  func unpinned() throws {
    let digest = try release.assemble("-o", "layout")
    let sum = try release.sha256("www/cacert.pem")
    let line = "    sha256: \"\(sum)\"\n"
    try release.edit(line, "")
    let finished = try release.forge(["-o", "other"])
    #expect(finished.status == 65)
    #expect(finished.output == "")
    #expect(finished.stderr.contains(line), "\(finished.stderr)")
    #expect(!FileManager.default.fileExists(atPath: room("other/index.json")))
    try release.edit("    url: ${certificates}\n", "    url: ${certificates}\n\(line)")
    #expect(try release.assemble("-o", "other") == digest)
    try room.expectValid("other")
  }

  @Test("processes that share an empty cache and one layout all succeed")
  func concurrent() throws {
    let script = """
      "$@" -o layout -t one >one & first=$!
      "$@" -o layout -t two >two & second=$!
      "$@" -o other >three
      wait $first && wait $second && cat one two three
      """
    let finished = try release.forge([], under: ["sh", "-euc", script, "sh"])
    #expect(finished.status == 0, "\(finished.stderr)")
    let digests = finished.output.split(separator: "\n")
    #expect(digests.count == 3 && Set(digests).count == 1, "\(finished.output)")
    for layout in ["layout:one", "layout:two", "layout", "other"] { try room.expectValid(layout) }
  }
}
