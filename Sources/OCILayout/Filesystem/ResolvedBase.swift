package import OCISpec

/// A base image for one platform, verified, with what its layers hold. Its blobs need not be here: layers go
/// from registry to registry as they are.
package struct ResolvedBase: Sendable {
  /// A layer of the base, as the image on top of it names it: media types are the OCI ones, bytes and digest are
  /// the base's.
  package struct Layer: Sendable {
    package let descriptor: Descriptor
    package let listing: LayerListing

    package init(descriptor: Descriptor, listing: LayerListing) {
      self.descriptor = descriptor
      self.listing = listing
    }
  }

  /// For `org.opencontainers.image.base.name`; `nil` where the base has no name that others understand, as a
  /// local layout has none.
  package let name: String?
  /// Of the base's manifest for this platform, for `org.opencontainers.image.base.digest`.
  package let digest: Digest
  package let config: ImageConfig
  /// From the lowest upwards.
  package let layers: [Layer]
  /// What `/etc/passwd` and `/etc/group` hold, as far as the base has them, where accounts are added to them.
  package let files: [ImagePath: [UInt8]]

  package init(
    name: String?, digest: Digest, config: ImageConfig, layers: [Layer],
    files: [ImagePath: [UInt8]] = [:]
  ) {
    self.name = name
    self.digest = digest
    self.config = config
    self.layers = layers
    self.files = files
  }
}
