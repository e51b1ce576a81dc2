package import OCISpec
package import Reporting

/// How a blob came to be in a repository.
package enum UploadOutcome: Sendable, Equatable {
  case uploaded
  /// The registry had it in another repository.
  case mounted
  case alreadyPresent
}

/// A blob without bytes: Amazon ECR answers 500 to it (https://github.com/aws/containers-roadmap/issues/1074), and
/// no image needs one.
package struct EmptyBlob: Failure, Equatable {
  package let digest: Digest
  package let repository: Repository

  package var kind: FailureKind { .data }

  package var description: String {
    "pushing blob \(digest) to \(repository): expected bytes, got none; registries refuse a blob without any"
  }
}
