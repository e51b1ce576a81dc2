import Bindings
import OCILayout
import OCISpec
import SystemPackage
import TestSupport

/// One entry of a layer made by hand; names are written as they are given.
struct TarMember: Sendable {
  var header: TarHeader
  var content: [UInt8] = []
  var xattrs: [String: String] = [:]

  private init(_ path: String, _ kind: TarHeader.Kind, mode: UInt32, content: [UInt8] = []) {
    header = TarHeader(
      path: Array(path.utf8), kind: kind, mode: mode, uid: 0, gid: 0, mtime: 1_000_000_000)
    self.content = content
  }

  static func file(_ path: String, _ text: String = "", mode: UInt32 = 0o644) -> Self {
    Self(path, .file(size: Int64(text.utf8.count)), mode: mode, content: Array(text.utf8))
  }

  static func directory(_ path: String, mode: UInt32 = 0o755) -> Self {
    Self(path, .directory, mode: mode)
  }

  static func symlink(_ path: String, to target: String) -> Self {
    Self(path, .symlink(target: Array(target.utf8)), mode: 0o777)
  }

  static func hardlink(_ path: String, to target: String) -> Self {
    Self(path, .hardlink(target: Array(target.utf8)), mode: 0o644)
  }

  static func fifo(_ path: String) -> Self { Self(path, .fifo, mode: 0o600) }

  func owned(_ uid: Int64, _ gid: Int64) -> Self {
    var copy = self
    (copy.header.uid, copy.header.gid) = (uid, gid)
    return copy
  }
}

func tar(_ members: [TarMember]) throws -> [UInt8] {
  var out: [UInt8] = []
  let stream = try TarStream { out += $0 }
  for member in members {
    let xattrs = member.xattrs.sorted { $0.key < $1.key }
    try stream.add(
      member.header, xattrs: xattrs.map { (Array($0.key.utf8), Array($0.value.utf8)) })
    if !member.content.isEmpty { try member.content.withUnsafeBytes { try stream.write($0) } }
    try stream.finishEntry()
  }
  try stream.close()
  return out
}

func compressed(_ bytes: [UInt8], with program: String) throws -> [UInt8] {
  let arguments = program == "gzip" ? ["-n", "-c"] : ["-q", "-c"]
  return try run(program, arguments, input: bytes).stdout
}

extension BlobStore {
  func put(_ bytes: [UInt8], _ type: MediaType, platform: Platform? = nil) throws -> Descriptor {
    Descriptor(
      mediaType: type, digest: try put(bytes), size: Int64(bytes.count), platform: platform)
  }
}

/// The file system that layers of these entries make together.
func filesystem(
  _ layers: [[TarMember]], in directory: TemporaryDirectory
) throws -> ImageFilesystem {
  let store = BlobStore(root: directory.path)
  return try ImageFilesystem(
    store: store, layers: layers.map { try store.put(tar($0), .layer) })
}

extension ImageFilesystem {
  /// Every path but the root, as text.
  var paths: [String] { entries.dropFirst().map(\.path.description) }

  func text(_ path: String) throws -> String {
    var out: [UInt8] = []
    try cat(path) { out += $0 }
    return String(decoding: out, as: UTF8.self)
  }
}

/// A whole layout with one image, whose parts a test may change before the ones above are made.
struct TestImage {
  var layers: [(bytes: [UInt8], tar: [UInt8], type: MediaType)]
  var platform = Platform(os: "linux", architecture: "amd64")
  var change: (Part, String) throws -> String = { $1 }

  enum Part: Sendable { case layoutFile, index, manifest, config }

  init(_ layers: [[TarMember]]) throws {
    self.layers = try layers.map { members in
      let bytes = try tar(members)
      return (bytes, bytes, .layer)
    }
  }

  /// Writes the layout; the documents go through `change`, bottom up.
  func write(to root: FilePath, _ directory: TemporaryDirectory) throws {
    let store = BlobStore(root: root)
    let descriptors = try layers.map { try store.put($0.bytes, $0.type) }
    let diffIDs = try layers.map { DiffID(try Digest.sha256(of: $0.tar)) }
    var container = ContainerConfig()
    container.env = ["PATH=/bin"]
    container.exposedPorts = ["4317/tcp"]
    container.volumes = ["/data"]
    container.labels = ["vendor": "example"]
    container.cmd = ["/bin/sh"]
    let config = ImageConfig(
      platform: platform, config: container, diffIDs: diffIDs,
      history: diffIDs.map { _ in
        History(created: "1970-01-01T00:00:00Z", createdBy: "ociforge")
      } + [History(createdBy: "label", emptyLayer: true)],
      created: "1970-01-01T00:00:00Z")
    let configBlob = try store.put(document(.config, config.json), .imageConfig)
    let manifest = Manifest(
      config: configBlob, layers: descriptors, annotations: ["org.example.key": "value"])
    var manifestBlob = try store.put(
      document(.manifest, manifest.json), .imageManifest, platform: platform)
    manifestBlob.annotations = [AnnotationKey.refName: "latest"]
    let index = ImageIndex(manifests: [manifestBlob])
    try directory.write(
      root.appending("index.json").relative(to: directory), document(.index, index.json))
    let layout = JSON.object(["imageLayoutVersion": "1.0.0"])
    try directory.write(
      root.appending("oci-layout").relative(to: directory), document(.layoutFile, layout))
  }

  private func document(_ part: Part, _ json: JSON) throws -> [UInt8] {
    Array(try change(part, String(decoding: CanonicalJSON.encode(json), as: UTF8.self)).utf8)
  }
}

extension FilePath {
  fileprivate func relative(to directory: TemporaryDirectory) -> String {
    String(string.dropFirst(directory.path.string.utf8.count + 1))
  }
}
