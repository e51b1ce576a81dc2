package import OCISpec
package import Reporting

/// A registry refuses a manifest because it does not have what the manifest names, though it said so before or was
/// sent it. Send these again, and then the manifest, once.
package struct MissingBlobs: Failure, Equatable {
  package let digests: [Digest]
  package let failure: RegistryFailure

  package var kind: FailureKind { failure.kind }
  package var description: String { failure.description }
}
