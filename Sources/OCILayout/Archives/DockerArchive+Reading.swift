import Bindings
import OCISpec
import Reporting
import SystemPackage

extension DockerArchive {
  /// Unpacks one image of a `docker save` archive, of Docker's own or of another tool, into a layout at
  /// `folder`, which is empty, and composes the manifest that such archives lack. Layers stay as they are.
  ///
  /// - Parameter name: one of the archive's names; `nil` where it holds one image only.
  static func unpack(
    _ archive: FilePath, name: String?, into folder: FilePath
  ) throws -> (ImageLayout, Descriptor) {
    let contents = try Contents(archive)
    let image = try contents.image(named: name)
    let layout = try ImageLayout.create(folder)

    let members = try ArchiveMembers(archive)
    let wanted = Set(image.layers + [image.config])
    var blobs: [ImagePath: Descriptor] = [:]
    while let member = try members.next() {
      guard wanted.contains(member.path), case .file = member.kind else { continue }
      let blob = try layout.store.ingest()
      var start: [UInt8] = []
      try members.content(of: member) { bytes in
        if start.count < 4 { start += bytes.prefix(4 - start.count) }
        try blob.write(bytes)
      }
      let (digest, size) = try members.reading {
        try blob.commit(expecting: promisedDigest(of: member.path))
      }
      blobs[member.path] = Descriptor(
        mediaType: member.path == image.config ? .imageConfig : layerType(start), digest: digest,
        size: size)
    }
    func blob(_ path: ImagePath) throws -> Descriptor {
      guard let blob = blobs[path] else {
        throw members.malformed("\"manifest.json\" names \(path), which is not there")
      }
      return blob
    }

    let manifest = Manifest(config: try blob(image.config), layers: try image.layers.map(blob))
    let config = try members.reading { try layout.config(manifest.config).body }
    try check(manifest.layers, against: config, in: layout.store, members)
    let bytes = CanonicalJSON.encode(manifest.json)
    let root = Descriptor(
      mediaType: .imageManifest, digest: try layout.store.put(bytes), size: Int64(bytes.count),
      platform: config.platform)
    try layout.update { $0.manifests = [root] }
    return (layout, root)
  }

  /// The config's digest, where a name promises one, vouches for the layers by their DiffIDs alone.
  private static func check(
    _ layers: [Descriptor], against config: ImageConfig, in store: BlobStore,
    _ members: ArchiveMembers
  ) throws {
    guard layers.count == config.diffIDs.count else {
      throw members.malformed(
        "the config has \(config.diffIDs.count) DiffIDs, \"manifest.json\" \(layers.count) layers")
    }
    for (layer, diffID) in zip(layers, config.diffIDs) {
      let found =
        layer.mediaType == .layer
        ? DiffID(layer.digest)
        : try DiffID(decompressedDigest(of: layer, diffID.digest.algorithm, in: store, members))
      guard found == diffID else {
        throw members.malformed("expected a layer with DiffID \(diffID), found \(found)")
      }
    }
  }

  private static func decompressedDigest(
    of layer: Descriptor, _ algorithm: Digest.Algorithm, in store: BlobStore,
    _ members: ArchiveMembers
  ) throws -> Digest {
    let reader = try members.reading {
      try DecompressingReader(path: store.path(of: layer.digest))
    }
    let limit = ValidationLimits().layerSize(compressed: layer.size)
    var byteCount: Int64 = 0
    return try ImageValidator.digest(algorithm) { buffer in
      let count = try members.reading { try reader.read(into: buffer) }
      byteCount += Int64(count)
      guard byteCount <= limit else {
        throw members.malformed(
          "layer \(layer.digest) has more than \(readable(byteCount: limit)) after decompression")
      }
      return count
    }
  }

  private static func layerType(_ start: [UInt8]) -> MediaType {
    if start.starts(with: [0x1F, 0x8B]) { return .layerGzip }
    if start.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { return .layerZstd }
    return .layer
  }

  /// The digest that a member's name promises: `<hex>.json` and `sha256:<hex>` for configs,
  /// `blobs/sha256/<hex>` for all.
  private static func promisedDigest(of path: ImagePath) -> Digest? {
    let parts = path.components.map { String(decoding: $0, as: UTF8.self) }
    if parts.count == 3 && parts[0] == "blobs" {
      return try? Digest(parsing: "\(parts[1]):\(parts[2])")
    }
    guard parts.count == 1, let name = parts.first else { return nil }
    if name.hasSuffix(".json") { return try? Digest(.sha256, hex: String(name.dropLast(5))) }
    return name.hasSuffix(".tar") || name.hasSuffix(".gz") ? nil : try? Digest(parsing: name)
  }

  /// What `manifest.json` says, and the links that older writers use for layers that occur twice.
  private struct Contents {
    struct Image {
      let names: [String]
      let config: ImagePath
      let layers: [ImagePath]
    }

    private let archive: FilePath
    private var images: [Image] = []

    init(_ archive: FilePath) throws {
      self.archive = archive
      let members = try ArchiveMembers(archive)
      var links: [ImagePath: ImagePath] = [:]
      var manifest: [UInt8]?
      while let member = try members.next() {
        switch member.kind {
        case .file where member.path.bytes == Array("manifest.json".utf8):
          manifest = try members.document(member)
        case .symlink(let target):
          links[member.path] = member.path.parent.flatMap { Self.follow(target, from: $0) }
        case .hardlink(let target): links[member.path] = try? ImagePath(archived: target)
        default: break
        }
      }
      guard let manifest else {
        throw members.malformed("expected a member \"manifest.json\", as docker save writes it")
      }
      let json = try members.reading { try JSON(parsing: manifest) }
      guard let entries = json.arrayValue, !entries.isEmpty else {
        throw members.malformed("expected a list of images in \"manifest.json\"")
      }
      func path(_ json: JSON?) throws -> ImagePath {
        guard let text = json?.stringValue else {
          throw members.malformed("expected file names in \"manifest.json\"")
        }
        var path = try members.reading { try ImagePath(archived: Array(text.utf8)) }
        var hops = 0
        while let target = links[path], hops < 8 {
          path = target
          hops += 1
        }
        return path
      }
      for entry in entries {
        images.append(
          Image(
            names: (entry["RepoTags"]?.arrayValue ?? []).compactMap(\.stringValue),
            config: try path(entry["Config"]),
            layers: try (entry["Layers"]?.arrayValue ?? []).map { try path($0) }))
      }
    }

    func image(named name: String?) throws -> Image {
      guard let name else {
        guard images.count == 1 else { throw noImage("") }
        return images[0]
      }
      let wanted = normalized(name)
      guard let image = images.first(where: { $0.names.contains { normalized($0) == wanted } })
      else { throw noImage(name) }
      return image
    }

    private func noImage(_ name: String) -> LayoutError {
      .noSuchImage(name, archive: archive.string, names: images.flatMap(\.names))
    }

    /// Where a symlink leads; `nil` where that is outside.
    private static func follow(_ target: [UInt8], from folder: ImagePath) -> ImagePath? {
      var path = folder
      for part in target.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
        if part.elementsEqual("..".utf8) {
          guard let parent = path.parent else { return nil }
          path = parent
        } else if !part.elementsEqual(".".utf8) {
          guard let child = try? path.appending(component: Array(part)) else { return nil }
          path = child
        }
      }
      return path
    }
  }
}
