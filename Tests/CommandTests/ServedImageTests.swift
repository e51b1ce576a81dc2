import Foundation
import SystemPackage
import TestSupport
import Testing

/// Images on their way through `serve`, between ociforge, skopeo and podman; each is run in the end.
@Suite(
  .serialized, .enabled(if: isRoot, "podman runs images as root here"),
  .enabled(if: peers("gcc", "podman", "python3", "runc", "skopeo")))
struct ServedImageTests {
  private let room: Room

  init() throws {
    room = try Room()
    try Printer.make(in: room)
  }

  @Test("podman pulls what ociforge pushed, and runs it")
  func run() throws {
    let digest = try room.assemble("base", "-o", "layout")
    let server = try Served(room, "served")
    let image = "\(server.address)/team/base:v1"
    let pushed = try room.forge(["push", "oci:layout", image])
    #expect(pushed.status == 0 && pushed.output == "\(digest)\n", "\(pushed.stderr)")
    try room.podman(["pull", "--quiet", "--tls-verify=false", image])
    #expect(try room.podman(podmanRun + [image]) == "from the base\n")
    #expect(try server.end(SIGTERM) == 143)
    #expect(try room.rootDigest("served:team/base:v1") == digest)
    try room.expectValid("served")
  }

  /// How a base comes to the registry, and what its layers are in the image on top.
  struct Base: CustomTestStringConvertible {
    let testDescription: String
    var options: [String] = []
    var isAttested = false
    var layerType = "application/vnd.oci.image.layer.v1.tar+gzip"
  }

  @Test(
    "an image runs that stands on one that skopeo pushed",
    arguments: [
      Base(testDescription: "Docker's schema 2", options: ["--format", "v2s2"]),
      Base(
        testDescription: "zstd", options: ["--dest-compress-format", "zstd"],
        layerType: "application/vnd.oci.image.layer.v1.tar+zstd"),
      Base(testDescription: "an attestation beside it", isAttested: true),
    ])
  func base(_ base: Base) throws {
    try room.assemble("base", "-o", "layout")
    if base.isAttested { try room.peer("python3", "-c", Self.attest, "layout") }
    let server = try Served(room, "served")
    let reference = "\(server.address)/core/base:v1"
    try room.copy(
      ["--insecure-policy", "--all"] + base.options + [
        "oci:layout:latest", "docker://\(reference)",
      ])
    let entries = try room.peer(
      "skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(reference)")
    #expect(entries.contains("unknown") == base.isAttested, "\(entries)")

    try Printer.writeApplication(on: reference, in: room)
    let image = "\(server.address)/team/app:v1"
    let digest = try room.assemble("app", "-o", "built", "--push", image)
    #expect(try room.layerTypes(of: "built").first == base.layerType)
    #expect(try room.rootDigest("built:latest") == digest)
    try room.podman(["pull", "--quiet", "--tls-verify=false", image])
    #expect(
      try room.podman(podmanRun + [image, "/etc/motd", "/bin/extra"])
        == "from the base\nfrom the app\n")
    #expect(try server.end(SIGTERM) == 143)
    try room.expectValid("built")
  }

  // As buildx does it: a manifest for no platform beside the image that it speaks of.
  private static let attest = """
    import hashlib, json, pathlib, sys
    layout = pathlib.Path(sys.argv[1])

    def put(content, kind):
        data = json.dumps(content).encode()
        digest = hashlib.sha256(data).hexdigest()
        (layout / "blobs/sha256" / digest).write_bytes(data)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(data)}

    manifest, index = (f"application/vnd.oci.image.{kind}.v1+json" for kind in ("manifest", "index"))
    top = json.loads((layout / "index.json").read_bytes())
    root = top["manifests"][0]
    images = json.loads((layout / "blobs" / root["digest"].replace(":", "/")).read_bytes())
    statement = put({"_type": "https://in-toto.io/Statement/v0.1"}, "application/vnd.in-toto+json")
    config = put({
        "architecture": "unknown", "os": "unknown", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [statement["digest"]]},
    }, "application/vnd.oci.image.config.v1+json")
    attestation = put({"schemaVersion": 2, "mediaType": manifest, "config": config, "layers": [statement]}, manifest)
    # Before the images, where who takes the first entry takes it.
    images["manifests"].insert(0, {
        **attestation, "platform": {"architecture": "unknown", "os": "unknown"},
        "annotations": {
            "vnd.docker.reference.digest": images["manifests"][0]["digest"],
            "vnd.docker.reference.type": "attestation-manifest",
        }})
    root.update(put(images, index))
    (layout / "index.json").write_text(json.dumps(top))
    """
}
