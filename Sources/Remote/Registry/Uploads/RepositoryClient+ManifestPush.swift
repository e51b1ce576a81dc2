package import OCISpec
import Reporting

extension RepositoryClient {
  /// Puts a manifest or an index, whose children must be there, under a tag, or under its digest alone. Where it is
  /// there already nothing is put: registries with immutable tags refuse even that. Where it has a subject
  /// and the registry lists no referrers, the subject's fallback tag lists it.
  /// - Parameters:
  ///   - bytes: those that `descriptor` is of.
  ///   - tag: by the grammar of tags.
  /// - Throws: ``MissingBlobs``, ``RegistryFailure``.
  package func putManifest(_ bytes: [UInt8], _ descriptor: Descriptor, tag: String?) async throws {
    precondition(tag.map(Reference.isTag) ?? true, "a tag is parsed before it gets here")
    try await ManifestPush(client: self, bytes: bytes, descriptor: descriptor, tag: tag).run()
  }
}
