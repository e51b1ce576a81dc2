import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: registryPeers()))
struct RegistryMemoryTests {
  @Test("pushing and pulling an image of 1 GiB takes less than 96 MiB of memory")
  func largeImage() async throws {
    let room = try Room()
    let digest = try room.peer("python3", "-c", Self.largeLayout, "layout")
    try await DockerRegistry.run { registry in
      let image = registry.reference("team/large:v1")
      for command in [["push", "oci:layout", image], ["pull", image, "oci:back:v1"]] {
        let finished = try room.forge(
          command, environment: room.environment(for: registry),
          under: ["python3", "-c", Self.measure])
        try #require(finished.status == 0, "\(finished.stderr)")
        #expect(finished.output == digest)
        let peak = try #require(Int(finished.stderr.split(separator: "\n").last ?? ""))
        #expect(peak < 96 << 10, "\(command[0]): \(peak) KiB")
        // The disk needs to hold the image twice, not three times.
        if command[0] == "push" { try FileManager.default.removeItem(atPath: room("layout")) }
      }
    }
    try room.expectValid("back")
  }

  // Four layers of 256 MiB as they are, which nobody has to compress. Prints the manifest's digest.
  private static let largeLayout = """
    import hashlib, io, json, os, pathlib, random, sys, tarfile
    layout = pathlib.Path(sys.argv[1])
    blobs = layout / "blobs/sha256"
    blobs.mkdir(parents=True)
    block = random.Random(1).randbytes(1 << 20)

    class Payload(io.RawIOBase):
        def __init__(self, first): self.parts = [first] + [block] * 255
        def read(self, count): return self.parts.pop(0)

    class Hashing:
        def __init__(self, file): self.file, self.sum, self.size = file, hashlib.sha256(), 0
        def write(self, data):
            self.sum.update(data)
            self.size += len(data)
            return self.file.write(data)

    def put(data, kind):
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": f"application/vnd.oci.image.{kind}+json", "digest": f"sha256:{digest}", "size": len(data)}

    layers = []
    for number in range(4):
        with open(blobs / "new", "wb") as file:
            hashing = Hashing(file)
            with tarfile.open(fileobj=hashing, mode="w|", format=tarfile.USTAR_FORMAT, copybufsize=1 << 20) as tar:
                info = tarfile.TarInfo(f"payload{number}")
                info.size = 256 << 20
                tar.addfile(info, Payload(random.Random(number + 2).randbytes(1 << 20)))
        digest = hashing.sum.hexdigest()
        (blobs / "new").rename(blobs / digest)
        layers.append({
            "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": f"sha256:{digest}",
            "size": hashing.size})
    config = put(json.dumps({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
    }).encode(), "config.v1")
    manifest = put(json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config, "layers": layers,
    }).encode(), "manifest.v1")
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (layout / "index.json").write_text(json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{**manifest, "annotations": {"org.opencontainers.image.ref.name": "latest"}}]}))
    print(manifest["digest"])
    """

  // A small program in between: a child counts its parent's memory until it becomes what it is to be.
  private static let measure = """
    import resource, subprocess, sys
    subprocess.run(sys.argv[1:], check=True)
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
    """
}
