package import OCILayout
package import OCISpec
package import SystemPackage
import Workers

/// What the images of a definition stand on, and where its layers can be had from. Archives that were unpacked
/// go with this value.
package struct ResolvedBases: Sendable {
  /// None for a platform on scratch.
  package let images: [Platform: ResolvedBase]
  /// By the digest of the layer's blob.
  package let sources: [Digest: BaseLayerSource]
  private let blobs: BaseBlobs
  private let unpacked: [ImageSource]

  init(
    images: [Platform: ResolvedBase], sources: [Digest: BaseLayerSource], blobs: BaseBlobs,
    unpacked: [ImageSource]
  ) {
    self.images = images
    self.sources = sources
    self.blobs = blobs
    self.unpacked = unpacked
  }

  /// The paths of the repositories in another one's registry that have layers of the bases, and may lend them.
  package func neighbours(of repository: Repository) -> [String] {
    let found = sources.values.compactMap { source -> String? in
      guard case .registry(let own) = source, own.registry.matches(repository.registry) else {
        return nil
      }
      return own.path
    }
    return Set(found).sorted()
  }

  /// A layer's blob as a file, fetched into the cache where it is not here; `nil` for what is no base's layer.
  package func blob(_ layer: Descriptor) async throws -> FilePath? {
    guard let source = sources[layer.digest] else { return nil }
    return try await blobs.withBlob(of: layer, from: source) { store in
      try store.check(layer)
      return store.path(of: layer.digest)
    }
  }

  /// Puts the layers of all bases into a store, as further names of the files where they lie, where that can be;
  /// what is in no store yet is fetched into the cache first, at most four at a time.
  ///
  /// - Throws: before all of them are there.
  package func placeLayers(in store: BlobStore) async throws {
    let layers = images.sorted { $0.key < $1.key }.flatMap(\.value.layers).map(\.descriptor)
    let results = await concurrentResults(
      of: layers.uniqued(by: \.digest), limit: BaseResolver.concurrencyLimit
    ) { [blobs, sources] layer in
      guard let source = sources[layer.digest] else {
        preconditionFailure("every layer of a base has a source")
      }
      try await blobs.withBlob(of: layer, from: source) { try store.adopt(layer, from: $0) }
    }
    try Task.checkCancellation()
    for result in results { try result.get() }
  }
}
