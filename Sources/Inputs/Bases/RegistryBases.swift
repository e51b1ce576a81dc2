package import OCILayout
package import OCISpec

/// What bases need of a registry's client. Everything given back was held against its digest.
package struct RegistryBases: Sendable {
  /// The manifest or index that a reference leads to now.
  package let resolve: @Sendable (Reference) async throws -> Descriptor
  /// The bytes of a manifest, an index or a config.
  package let document: @Sendable (Repository, Descriptor) async throws -> [UInt8]
  /// Fetches a layer into a store.
  package let layer: @Sendable (Repository, Descriptor, BlobStore) async throws -> Void

  package init(
    resolve: @escaping @Sendable (Reference) async throws -> Descriptor,
    document: @escaping @Sendable (Repository, Descriptor) async throws -> [UInt8],
    layer: @escaping @Sendable (Repository, Descriptor, BlobStore) async throws -> Void
  ) {
    self.resolve = resolve
    self.document = document
    self.layer = layer
  }
}
