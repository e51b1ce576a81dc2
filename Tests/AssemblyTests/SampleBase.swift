import Assembly
import Bindings
import OCILayout
import OCISpec
import SystemPackage
import TestSupport

/// One entry of a base's layer, with a time that no default has.
struct BaseEntry: Sendable {
  var header: TarHeader
  var content: [UInt8] = []
  var xattrs: [(name: [UInt8], value: [UInt8])] = []

  private init(_ path: String, _ kind: TarHeader.Kind, mode: UInt32) {
    header = TarHeader(
      path: Array(path.utf8), kind: kind, mode: mode, uid: 0, gid: 0, mtime: 1_000_000_000)
  }

  static func file(_ path: String, _ text: String = "", mode: UInt32 = 0o644) -> Self {
    var entry = Self(path, .file(size: Int64(text.utf8.count)), mode: mode)
    entry.content = Array(text.utf8)
    return entry
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

  func owned(_ uid: Int64, _ gid: Int64) -> Self {
    var copy = self
    (copy.header.uid, copy.header.gid) = (uid, gid)
    return copy
  }

  func with(xattr name: String, _ value: String) -> Self {
    var copy = self
    copy.xattrs.append((Array(name.utf8), Array(value.utf8)))
    return copy
  }
}

extension ResolvedBase {
  /// A base of uncompressed layers, whose blobs come to lie in `store`.
  ///
  /// - Parameter change: what is done to its config at the end.
  init(
    _ layers: [[BaseEntry]], in store: BlobStore, name: String? = nil,
    files: [String: String] = [:], change: (inout ImageConfig) -> Void = { _ in }
  ) throws {
    let resolved = try layers.map { entries in
      let tar = try Self.tar(entries)
      let descriptor = Descriptor(
        mediaType: .layer, digest: try store.put(tar), size: Int64(tar.count))
      return try Layer(descriptor, diffID: DiffID(descriptor.digest), in: store)
    }
    var config = ImageConfig(
      platform: Platform(os: "linux", architecture: "amd64"),
      diffIDs: resolved.map(\.listing.diffID),
      history: resolved.map { _ in
        History(created: "2020-02-02T00:00:00Z", createdBy: "made by hand")
      },
      created: "2020-02-02T00:00:00Z")
    change(&config)
    var contents: [ImagePath: [UInt8]] = [:]
    for (path, text) in files { contents[try ImagePath(absolute: path)] = Array(text.utf8) }
    self.init(
      name: name, digest: try Digest.sha256(of: CanonicalJSON.encode(config.json)),
      config: config, layers: resolved, files: contents)
  }

  /// An image that lies in a layout.
  init(_ manifest: Descriptor, in layout: ImageLayout, name: String? = nil) throws {
    let body = try layout.manifest(manifest).body
    let config = try layout.config(body.config).body
    self.init(
      name: name, digest: manifest.digest, config: config,
      layers: try zip(body.layers, config.diffIDs).map { layer, diffID in
        try Layer(layer, diffID: diffID, in: layout.store)
      })
  }

  private static func tar(_ entries: [BaseEntry]) throws -> [UInt8] {
    var out: [UInt8] = []
    let stream = try TarStream { out += $0 }
    for entry in entries {
      try stream.add(entry.header, xattrs: entry.xattrs)
      if !entry.content.isEmpty { try entry.content.withUnsafeBytes { try stream.write($0) } }
      try stream.finishEntry()
    }
    try stream.close()
    return out
  }
}

extension ResolvedBase.Layer {
  fileprivate init(_ descriptor: Descriptor, diffID: DiffID, in store: BlobStore) throws {
    let reader = try LayerReader(store: store, layer: descriptor)
    var members: [LayerMember] = []
    while let member = try reader.next() { members.append(member) }
    self.init(
      descriptor: descriptor, listing: LayerListing(diffID: diffID, members: members))
  }
}
