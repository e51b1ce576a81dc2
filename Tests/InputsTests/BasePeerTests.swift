import Bindings
import Foundation
import Inputs
import OCILayout
import OCISpec
import SystemPackage
import TestSupport
import Testing

@Suite("Bases made by skopeo", .enabled(if: peers("skopeo", "zstd", "gzip")))
struct BasePeerTests {
  private let amd64 = Platform(os: "linux", architecture: "amd64")
  private let bench: BaseBench
  private let diffIDs: [DiffID]

  init() throws {
    bench = try BaseBench()
    let image = try SampleImage()
    diffIDs = [DiffID(try Digest.sha256(of: image.layers[0].tar))]
    _ = try bench.layout { try image.store(in: $0) }
  }

  private func path(_ name: String) -> FilePath { bench.directory.path.appending(name) }

  private func skopeo(_ options: [String], to destination: String) throws {
    let finished = try run(
      "skopeo",
      ["--insecure-policy", "copy", "-q"] + options + ["oci:\(path("base"))", destination])
    #expect(finished.status == 0, "\(finished.stderr)")
  }

  private func check(_ bases: ResolvedBases, _ type: MediaType) throws {
    let base = try #require(bases.images[amd64])
    #expect(base.layers.map(\.descriptor.mediaType) == [type])
    #expect(base.layers.map(\.listing.diffID) == diffIDs)
    #expect(base.layers[0].listing.members.map(\.path.description) == ["/etc/greeting"])
  }

  @Test(
    "layers that skopeo compressed",
    arguments: [("gzip", MediaType.layerGzip), ("zstd", .layerZstd)])
  func compressed(format: String, type: MediaType) async throws {
    try skopeo(["--dest-compress-format", format, "--dest-compress"], to: "oci:\(path("made")):v1")
    try await check(bench.resolve("oci:../made:v1"), type)
  }

  @Test("archives that skopeo wrote, with and without the image's name")
  func archives() async throws {
    try skopeo([], to: "oci-archive:\(path("oci.tar")):v1")
    try await check(bench.resolve("oci-archive:../oci.tar:v1"), .layerGzip)
    try skopeo([], to: "docker-archive:\(path("docker.tar")):app:v1")
    try await check(bench.resolve("docker-archive:../docker.tar"), .layer)
    try await check(bench.resolve("docker-archive:../docker.tar:app:v1"), .layer)
  }

  @Test("Docker's schema 2, as a registry gives it")
  func schema2() async throws {
    var bench = bench
    try skopeo(["--format", "v2s2", "--dest-compress"], to: "dir:\(path("dir"))")
    let names = try FileSystem.entries(of: path("dir")).map { String(decoding: $0, as: UTF8.self) }
    for name in names where name != "version" {
      let bytes = try FileSystem.readAll(path("dir").appending(name), limit: 1 << 20)
      let blob = try bench.far.put(bytes, .dockerManifest)
      if name == "manifest.json" { bench.root = blob }
    }
    try await check(bench.resolve("r.example/base:1"), .layerGzip)
  }
}
