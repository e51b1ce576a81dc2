import Bindings
import Definition
import Inputs
import OCILayout
import OCISpec
import Reporting
import Synchronization
import SystemPackage
import TestSupport

/// A definition on a base, a cache, and a registry that is a store with a record of what was asked of it.
struct BaseBench {
  let directory: TemporaryDirectory
  let log = Log()
  /// What the registry has under every name and tag.
  var root: Descriptor?

  init() throws { directory = try TemporaryDirectory() }

  var cache: BlobStore { BlobStore(root: directory.path.appending("cache")) }
  var far: BlobStore { BlobStore(root: directory.path.appending("far")) }

  final class Log: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }

    /// What was added since this was last asked, sorted.
    func take() -> [String] {
      lines.withLock { lines in
        defer { lines = [] }
        return lines.sorted()
      }
    }
  }

  var registry: RegistryBases {
    RegistryBases(
      resolve: { [log, root] reference in
        log.add("resolve \(reference)")
        guard let root else { throw LayoutError.malformedTag("\(reference)") }
        return root
      },
      document: { [log, far] _, descriptor in
        log.add("document")
        return try FileSystem.readAll(far.path(of: descriptor.digest), limit: 5 << 20)
      },
      layer: { [log, far] repository, layer, store in
        log.add("layer of \(repository)")
        try store.adopt(layer, from: far)
      })
  }

  /// Resolves a definition with this `from`.
  func resolve(
    _ from: String, platforms: String = "linux/amd64", more: String = "", offline: Bool = false,
    chain: [FilePath] = [],
    assemble: @escaping BaseResolver.Assembling = { path, _, _ in
      throw LayoutError.noLayout(path.string, found: "nothing to assemble")
    }
  ) async throws -> ResolvedBases {
    let text = """
      formatVersion: 1
      name: app
      platforms: [\(platforms)]
      from: "\(from)"
      \(more)
      """
    let file = try directory.write("app/image.yaml", text)
    let reporter = Reporter { [log] event in
      switch event {
      case .notice(let text), .warning(let text): log.add(text)
      default: break
      }
    }
    return try await BaseResolver(
      registry: registry, assemble: assemble, chain: chain, cache: cache, offline: offline,
      reporter: reporter
    ).resolve(try ImageDefinition.load(file))
  }

  /// Why it cannot be resolved, without the place; `nil` where it can.
  func failure(
    _ from: String, platforms: String = "linux/amd64", more: String = "", offline: Bool = false,
    chain: [FilePath] = []
  ) async -> (text: String, kind: FailureKind)? {
    do {
      _ = try await resolve(
        from, platforms: platforms, more: more, offline: offline, chain: chain)
      return nil
    } catch let list as FailureList {
      let prefix = "\(directory.path)/app/image.yaml:4:7: from: "
      let texts = list.failures.map { failure in
        failure.description.hasPrefix(prefix)
          ? String(failure.description.dropFirst(prefix.count)) : "?? \(failure)"
      }
      return (texts.joined(separator: "\n"), list.kind)
    } catch { return ("\(error)", .software) }
  }

  /// A layout with these roots, as `oci:../NAME`.
  func layout(_ name: String = "base", _ fill: (BlobStore) throws -> Descriptor) throws -> String {
    let layout = try ImageLayout.create(directory.path.appending(name))
    let root = try fill(layout.store)
    try layout.update { $0.manifests = [root] }
    return "oci:../\(name)"
  }
}

/// An image made by hand.
struct SampleImage {
  struct Layer {
    let tar: [UInt8]
    var bytes: [UInt8]
    var type = MediaType.layer

    init(_ files: [(path: String, text: String)]) throws {
      tar = try BaseBench.tar(files)
      bytes = tar
    }
  }

  var layers: [Layer]
  var platform = Platform(os: "linux", architecture: "amd64")
  /// Whether the index entry says the platform.
  var isLabelled = true
  var isDocker = false
  var change: (inout Manifest, inout ImageConfig) -> Void = { _, _ in }

  init(_ files: [(path: String, text: String)] = [("etc/greeting", "hello")]) throws {
    layers = [try Layer(files)]
  }

  init(_ platform: String, isLabelled: Bool = true) throws {
    try self.init([("platform", platform)])
    self.platform = try Platform(parsing: platform)
    self.isLabelled = isLabelled
  }

  func store(in store: BlobStore) throws -> Descriptor {
    var config = ImageConfig(
      platform: platform, diffIDs: try layers.map { DiffID(try Digest.sha256(of: $0.tar)) })
    var manifest = Manifest(
      config: Descriptor(mediaType: .imageConfig, digest: try Digest.sha256(of: []), size: 0),
      layers: try layers.map { try store.put($0.bytes, $0.type) })
    if isDocker { manifest.mediaType = .dockerManifest }
    let placeholder = manifest.config
    change(&manifest, &config)
    if manifest.config == placeholder {
      manifest.config = try store.put(config.json, isDocker ? .dockerConfig : .imageConfig)
    }
    var descriptor = try store.put(manifest.json, isDocker ? .dockerManifest : .imageManifest)
    if isLabelled { descriptor.platform = platform }
    return descriptor
  }
}

extension BlobStore {
  func put(_ json: JSON, _ type: MediaType) throws -> Descriptor {
    try put(CanonicalJSON.encode(json), type)
  }

  func put(_ bytes: [UInt8], _ type: MediaType) throws -> Descriptor {
    Descriptor(mediaType: type, digest: try put(bytes), size: Int64(bytes.count))
  }

  func putIndex(
    _ manifests: [Descriptor], _ type: MediaType = .imageIndex
  ) throws -> Descriptor {
    try put(ImageIndex(manifests: manifests, mediaType: type).json, type)
  }
}

extension BaseBench {
  /// A tar of files; `-> target` makes a symlink.
  static func tar(_ files: [(path: String, text: String)]) throws -> [UInt8] {
    var out: [UInt8] = []
    let stream = try TarStream { out += $0 }
    for (path, text) in files {
      let bytes = Array(text.utf8)
      let isLink = text.hasPrefix("-> ")
      let kind: TarHeader.Kind =
        isLink ? .symlink(target: Array(bytes.dropFirst(3))) : .file(size: Int64(bytes.count))
      try stream.add(
        TarHeader(path: Array(path.utf8), kind: kind, mode: 0o644, uid: 0, gid: 0, mtime: 0))
      if !isLink { try bytes.withUnsafeBytes { if !$0.isEmpty { try stream.write($0) } } }
      try stream.finishEntry()
    }
    try stream.close()
    return out
  }
}
