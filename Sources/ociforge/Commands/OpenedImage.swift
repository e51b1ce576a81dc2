import ArgumentParser
import Bindings
import OCILayout
import OCISpec
import Remote
import Reporting
import SystemPackage

/// A REF that is open for reading, with what it holds. Of an image in a registry only the documents are here; its
/// layers come when somebody asks for them, and stay in the cache.
///
/// A class, because what an archive was unpacked to goes with it.
final class OpenedImage: Sendable {
  let reference: ImageReference
  let layout: ImageLayout
  /// A manifest or an index.
  let root: Descriptor
  private let source: ImageSource?
  private let client: RepositoryClient?
  /// Kept while the image is, because an archive is unpacked in it.
  private let cache: CacheDirectory?
  private let reporter: Reporter

  private init(
    _ reference: ImageReference, layout: ImageLayout, root: Descriptor, source: ImageSource? = nil,
    client: RepositoryClient? = nil, cache: CacheDirectory? = nil, reporter: Reporter
  ) {
    self.reference = reference
    self.layout = layout
    self.root = root
    self.source = source
    self.client = client
    self.cache = cache
    self.reporter = reporter
  }

  static func open(
    _ reference: ImageReference, access: RegistryAccess, reporter: Reporter
  ) async throws -> OpenedImage {
    if case .layout = reference {
      let source = try ImageSource.open(reference, scratch: "")
      return OpenedImage(
        reference, layout: source.layout, root: source.root, source: source, reporter: reporter)
    }
    let temporary = FilePath(environment("TMPDIR") ?? "/tmp").appending("ociforge")
    let cache = try CacheDirectory.locate(fallbackBeside: temporary, reporter: reporter)
    guard case .registry(let name) = reference else {
      let source = try ImageSource.open(reference, scratch: cache.path)
      return OpenedImage(
        reference, layout: source.layout, root: source.root, source: source, cache: cache,
        reporter: reporter)
    }
    let client = access.registries.repository(name.repository)
    let layout = ImageLayout(blobsOf: cache.store)
    let root = try await ImagePuller(from: client, into: layout, reporter: reporter)
      .documents(of: name)
    return OpenedImage(
      reference, layout: layout, root: root, client: client, cache: cache, reporter: reporter)
  }

  /// Where it was pulled from, which a registry may mount its blobs from.
  var repository: Repository? { client?.repository }

  /// The tag that the reference says.
  var tag: String? {
    switch reference {
    case .registry(let reference): reference.tag
    case .layout(_, let tag, _), .ociArchive(_, let tag): tag
    case .dockerArchive: nil
    }
  }

  /// What others call it, for archives that keep names.
  var name: String? {
    switch reference {
    case .registry(let reference):
      reference.tag.map { "\(reference.repository):\($0)" }
    case .dockerArchive(_, let name): name
    case .layout, .ociArchive: nil
    }
  }

  /// A blob as a verified file; `nil` where it is nowhere to be had.
  func obtain(_ blob: Descriptor) async throws -> FilePath? {
    if try !layout.store.contains(blob) {
      guard let client else { return nil }
      try await client.fetchBlob(
        blob, into: layout.store, as: "blob \(blob.digest.hex.prefix(12))", reporter: reporter)
    }
    return layout.store.path(of: blob.digest)
  }

  /// Brings all layers of an image.
  func obtainAll(of root: Descriptor) async throws {
    guard let client else { return }
    try await ImagePuller(from: client, into: layout, reporter: reporter).layers(of: root)
  }

  /// The image for a platform: the one asked for, else the only one, else this machine's.
  func manifest(for platform: Platform?) throws -> Document<Manifest> {
    let contents = try layout.contents(of: root)
    var candidates: [(platform: Platform, manifest: Document<Manifest>)] = []
    for manifest in contents.images {
      let config = try layout.config(manifest.body.config)
      candidates.append((config.body.platform, manifest))
    }
    let platforms = candidates.map(\.platform)
    if let platform {
      guard let match = candidates.first(where: { platform.matches($0.platform) }) else {
        throw UsageError.noSuchPlatform(
          platform, found: platforms, reference: reference.description)
      }
      return match.manifest
    }
    if candidates.count == 1 { return candidates[0].manifest }
    guard let match = candidates.first(where: { Platform.current.matches($0.platform) }) else {
      throw UsageError.severalPlatforms(platforms, reference: reference.description)
    }
    return match.manifest
  }
}

extension Platform {
  /// What this program was built for.
  static var current: Platform {
    #if arch(x86_64)
      Platform(os: "linux", architecture: "amd64")
    #elseif arch(arm64)
      Platform(os: "linux", architecture: "arm64")
    #else
      Platform(os: "linux", architecture: "unknown")
    #endif
  }
}
