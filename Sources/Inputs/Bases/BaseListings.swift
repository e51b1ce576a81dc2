import OCILayout
import OCISpec
import Workers

/// What the layers of bases hold: out of the cache, else from their blobs, and then kept there.
struct BaseListings: Sendable {
  /// A distinct layer to list.
  struct Key: Sendable, Hashable {
    let digest: Digest
    let size: Int64
    /// The DiffID's.
    let algorithm: Digest.Algorithm
  }

  typealias Known = [Key: Result<LayerListing, any Error>]

  let blobs: BaseBlobs

  func list(_ bases: [ChosenBase]) async -> Known {
    let wanted = bases.flatMap { base in
      zip(base.choice.layers, base.choice.config.diffIDs).map {
        (key: Self.key($0, $1), layer: $0, source: base.base.source)
      }
    }.uniqued { $0.key }
    let results = await concurrentResults(of: wanted, limit: BaseResolver.concurrencyLimit) {
      try await listing(of: $0.layer, from: $0.source, hashing: $0.key.algorithm)
    }
    return Known(uniqueKeysWithValues: zip(wanted.map(\.key), results))
  }

  /// - Throws: ``BaseError/diffIDMismatch(layer:expected:found:)``, and why a layer could not be listed.
  func layers(of base: ChosenBase, _ known: Known) throws -> [ResolvedBase.Layer] {
    try zip(base.choice.layers, base.choice.config.diffIDs).map { layer, diffID in
      guard let result = known[Self.key(layer, diffID)] else {
        preconditionFailure("every layer of a base was listed")
      }
      let listing = try result.get()
      guard listing.diffID == diffID else {
        throw BaseError.diffIDMismatch(
          layer: layer.digest, expected: diffID, found: listing.diffID)
      }
      return ResolvedBase.Layer(descriptor: layer, listing: listing)
    }
  }

  private static func key(_ layer: Descriptor, _ diffID: DiffID) -> Key {
    Key(digest: layer.digest, size: layer.size, algorithm: diffID.digest.algorithm)
  }

  private func listing(
    of layer: Descriptor, from source: BaseLayerSource, hashing algorithm: Digest.Algorithm
  ) async throws -> LayerListing {
    let cache = blobs.cache
    let known = try await withBlockingWork {
      LayerListing.cached(layer, in: cache, hashing: algorithm)
    }
    if let known { return known }
    return try await blobs.withBlob(of: layer, from: source) { store in
      let listing = try LayerListing.make(layer, from: store, hashing: algorithm)
      try listing.store(for: layer, in: cache)
      return listing
    }
  }
}
