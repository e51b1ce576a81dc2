import Bindings
package import OCISpec
import SystemPackage

/// Listings are kept by the digest of their layer, as `listings/<algorithm>/<hex>` beside the blobs of a cache:
/// who has one needs the layer's blob no more to build on it.
extension LayerListing {
  /// What the cache knows of a layer; `nil` where that is nothing, damaged, of a blob of another size, or has a
  /// DiffID of another algorithm.
  package static func cached(
    _ layer: Descriptor, in cache: BlobStore, hashing algorithm: Digest.Algorithm = .sha256
  ) -> LayerListing? {
    guard
      let bytes = try? FileSystem.readAll(
        path(of: layer.digest, in: cache), limit: maximumFileSize),
      let listing = LayerListing(bytes, for: layer),
      listing.diffID.digest.algorithm == algorithm
    else { return nil }
    return listing
  }

  /// Keeps a listing that ``make(_:from:hashing:limits:)`` made of this layer, in place of any other.
  package func store(for layer: Descriptor, in cache: BlobStore) throws {
    let bytes = try encoded(for: layer)
    let path = Self.path(of: layer.digest, in: cache)
    try FileSystem.createDirectories(path.removingLastComponent())
    try cache.replace(path) { file in
      try bytes.withUnsafeBytes { try FileSystem.writeAll(file, $0, path: path) }
    }
  }

  private static let maximumFileSize = 1 << 30

  private static func path(of layer: Digest, in cache: BlobStore) -> FilePath {
    cache.root.appending("listings").appending(layer.algorithm.rawValue).appending(layer.hex)
  }
}
