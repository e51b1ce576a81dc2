package import OCISpec
package import Reporting

/// Why a repository in Amazon ECR was not made, besides what AWS says itself (``AWSServiceError``).
package enum ECRRepositoryError: Failure, Equatable {
  case notECR(Registry)
  case noCredentials(Repository)
  /// No JSON at all, or none that is an object of a policy's size.
  case notAPolicy(path: String, JSONError?)
  /// ECR Public has no such setting.
  case notInGallery([String])
  /// The path of an ECR Public repository without the owner's alias before it.
  case noAlias(Repository)

  package var kind: FailureKind {
    switch self {
    case .notECR, .notInGallery, .noAlias: .usage
    case .noCredentials: .denied
    case .notAPolicy: .data
    }
  }

  package var description: String {
    switch self {
    case .notECR(let registry):
      "creating a repository in \(registry.description.quoted): expected a registry of Amazon ECR; others make repositories by themselves or in their own tools"
    case .noCredentials(let repository):
      "creating \(repository.description.quoted): there are no AWS credentials; \"ociforge auth \(repository.registry)\" says where they were looked for"
    case .notAPolicy(let path, let error):
      "reading the policy \(path.quoted): \(error.map(\.description) ?? "expected a JSON object of at most 32 KiB")"
    case .notInGallery(let settings):
      "creating a repository in ECR Public: it has no \(settings.joined(separator: " and no "))"
    case .noAlias(let repository):
      "creating \(repository.description.quoted): expected public.ecr.aws/<alias>/<name>"
    }
  }
}
