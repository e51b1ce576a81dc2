import Bindings
import OCILayout
import OCISpec
import SystemPackage
import TestSupport

/// A layout whose images hold nothing in particular.
struct SampleImages {
  let directory: TemporaryDirectory
  let layout: ImageLayout

  init() throws {
    directory = try TemporaryDirectory()
    layout = try ImageLayout.create(directory.path.appending("images"))
  }

  /// An image with so many layers of so many bytes each, unlike those of another `seed`.
  func image(
    layers count: Int = 3, of byteCount: Int = 50_000, seed: UInt8 = 0,
    change: (inout Manifest) throws -> Void = { _ in }
  ) throws -> Descriptor {
    let bytes = try (0..<count).map { [seed, UInt8($0)] + (try sample(byteCount).bytes) }
    let config = ImageConfig(
      platform: Platform(os: "linux", architecture: "amd64"),
      diffIDs: try bytes.map { DiffID(try Digest.sha256(of: $0)) })
    var manifest = Manifest(
      config: try put(CanonicalJSON.encode(config.json), .imageConfig),
      layers: try bytes.map { try put($0, .layer) })
    try change(&manifest)
    return try put(CanonicalJSON.encode(manifest.json), .imageManifest)
  }

  func index(_ manifests: [Descriptor]) throws -> Descriptor {
    try put(CanonicalJSON.encode(ImageIndex(manifests: manifests).json), .imageIndex)
  }

  func put(_ bytes: [UInt8], _ type: MediaType) throws -> Descriptor {
    Descriptor(mediaType: type, digest: try layout.store.put(bytes), size: Int64(bytes.count))
  }

  func manifest(_ descriptor: Descriptor) throws -> Manifest {
    try layout.manifest(descriptor).body
  }

  /// A registry's answer out of the layout, whatever is asked for by digest; `root` for every tag.
  func answer(_ request: ScriptedServer.Request, root: Descriptor) -> ScriptedServer.Answer {
    if request.uri == "/v2/" { return .ok }
    let name = String(request.uri.split(separator: "/").last ?? "")
    let digest = (try? Digest(parsing: name)) ?? root.digest
    guard let bytes = try? FileSystem.readAll(layout.store.path(of: digest), limit: 8 << 20) else {
      return .status(404)
    }
    guard request.uri.contains("/manifests/") else { return .blob(bytes, for: request) }
    return .init(body: bytes)
  }
}
