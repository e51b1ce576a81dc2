import OCILayout
import OCISpec
import Reporting

/// The images of a base, for all its platforms, and the choice among them.
struct BaseImages: Sendable {
  /// The image for one platform, its documents checked against each other.
  struct Choice: Sendable {
    /// Of the manifest.
    let digest: Digest
    let config: ImageConfig
    /// As the image on top names them.
    let layers: [Descriptor]
  }

  private let documents: BaseDocuments
  /// Manifests, in the order of the indexes.
  private var labelled: [Descriptor] = []
  /// Those whose index does not say what they run on.
  private var unlabelled: [Descriptor] = []

  /// Without platforms in its index, an image is found by its config: so many of them are looked at.
  private static let maximumUnlabelledCount = 64

  /// - Parameter root: an index or a manifest.
  init(_ root: Descriptor, _ documents: BaseDocuments) async throws {
    self.documents = documents
    if root.mediaType.isIndex {
      try await collect(root, root: root, depth: 0, entryCount: 0)
    } else if root.mediaType.isManifest {
      unlabelled = [root]
    } else {
      throw LayoutError.unexpectedMediaType(
        root.digest, root.mediaType, expected: "an image manifest or an image index")
    }
  }

  /// - Parameter entryCount: of what was collected before.
  /// - Returns: the same, with what is below this index.
  @discardableResult
  private mutating func collect(
    _ index: Descriptor, root: Descriptor, depth: Int, entryCount: Int
  ) async throws -> Int {
    guard depth < ImageLayout.maximumIndexDepth else {
      throw LayoutError.nestedTooDeep(root.digest, limit: ImageLayout.maximumIndexDepth)
    }
    var entryCount = entryCount
    for entry in try await documents.index(index).manifests {
      entryCount += 1
      guard entryCount <= ImageLayout.maximumIndexEntries else {
        throw LayoutError.tooManyEntries(root.digest, limit: ImageLayout.maximumIndexEntries)
      }
      if entry.mediaType.isIndex {
        entryCount = try await collect(
          entry, root: root, depth: depth + 1, entryCount: entryCount)
      } else if entry.mediaType.isManifest && !entry.isAttestation {
        if entry.platform == nil { unlabelled.append(entry) } else { labelled.append(entry) }
      }
    }
    return entryCount
  }

  /// The image for a platform: of those that do, the nearest; of equals, the first.
  ///
  /// - Throws: ``BaseError/noPlatform(_:found:)``, and what is wrong with the documents.
  func image(for platform: Platform) async throws -> Choice {
    for wanted in platform.served {
      guard let entry = labelled.first(where: { $0.platform.map(wanted.matches) ?? false }) else {
        continue
      }
      let manifest = try await documents.manifest(entry)
      let config = try await config(of: manifest, entry)
      guard config.platform.os == wanted.os, config.platform.architecture == wanted.architecture
      else {
        throw BaseError.otherPlatform(entry.digest, expected: wanted, found: config.platform)
      }
      return try choice(entry, manifest, config)
    }
    var images: [(entry: Descriptor, manifest: Manifest, config: ImageConfig)] = []
    for entry in unlabelled.prefix(Self.maximumUnlabelledCount) {
      let manifest = try await documents.manifest(entry)
      // An index may list artifacts, too; a base that is nothing else is told so.
      guard manifest.config.mediaType.isConfig || unlabelled.count == 1 && labelled.isEmpty else {
        continue
      }
      images.append((entry, manifest, try await config(of: manifest, entry)))
    }
    for wanted in platform.served {
      if let image = images.first(where: { wanted.matches($0.config.platform) }) {
        return try choice(image.entry, image.manifest, image.config)
      }
    }
    let found = Set(labelled.compactMap(\.platform) + images.map(\.config.platform))
    throw BaseError.noPlatform(platform, found: found.sorted().uniqued(by: \.description))
  }

  private func config(of manifest: Manifest, _ entry: Descriptor) async throws -> ImageConfig {
    guard manifest.config.mediaType.isConfig else {
      throw BaseError.notAnImage(entry.digest, config: manifest.config.mediaType)
    }
    return try await documents.config(manifest.config)
  }

  private func choice(
    _ entry: Descriptor, _ manifest: Manifest, _ config: ImageConfig
  ) throws -> Choice {
    let limit = DocumentValidation.maximumLayerCount
    guard manifest.layers.count <= limit else {
      throw BaseError.tooManyLayers(entry.digest, limit: limit)
    }
    guard manifest.layers.count == config.diffIDs.count else {
      throw BaseError.layerCount(
        entry.digest, layers: manifest.layers.count, diffIDs: config.diffIDs.count)
    }
    return Choice(
      digest: entry.digest, config: config, layers: try manifest.layers.map(Self.layer))
  }

  /// The descriptor of a layer as the image on top has it.
  private static func layer(_ layer: Descriptor) throws -> Descriptor {
    guard !layer.mediaType.isForeignLayer, layer.unknown["urls"] == nil else {
      throw BaseError.foreignLayer(layer.digest, layer.mediaType)
    }
    guard let type = layer.mediaType.layerOfOCI else {
      throw BaseError.unknownLayerType(layer.digest, layer.mediaType)
    }
    guard layer.digest.algorithm == .sha256 else {
      throw LayoutError.unsupportedAlgorithm(layer.digest)
    }
    var mapped = layer
    mapped.mediaType = type
    return mapped
  }
}
