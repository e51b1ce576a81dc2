import ArgumentParser
import Credentials
import OCISpec
import Reporting
import SystemPackage

/// Whether, and how, a repository of Amazon ECR that is missing is made before something is pushed to it.
struct RepositoryCreation: ParsableArguments {
  @Flag(
    help: "Make a repository of Amazon ECR that is missing; one that is there keeps its settings.")
  var createRepository = false

  @Flag(help: "With --create-repository: scan images when they are pushed.")
  var scanOnPush = false

  @Flag(help: "With --create-repository: tags never move.")
  var immutableTags = false

  @Option(
    help: "With --create-repository: a JSON file with its lifecycle policy.", completion: .file())
  var lifecyclePolicy: String?

  @Option(
    help: "With --create-repository: a JSON file with its repository policy.", completion: .file())
  var repositoryPolicy: String?

  func validate() throws {
    let needsCreation =
      scanOnPush || immutableTags || lifecyclePolicy != nil || repositoryPolicy != nil
    if needsCreation && !createRepository {
      throw ValidationError(
        "--scan-on-push, --immutable-tags, --lifecycle-policy and --repository-policy go with --create-repository"
      )
    }
  }

  /// Makes the repository where that is wanted and it is missing.
  func ensure(
    _ repository: Repository, _ access: RegistryAccess, _ reporter: Reporter
  ) async throws {
    guard createRepository else { return }
    guard ECRRegistry(repository.registry) != nil else {
      throw UsageError.creationElsewhere(repository.registry)
    }
    let options = ECRRepositoryOptions(
      scansOnPush: scanOnPush, hasImmutableTags: immutableTags,
      lifecyclePolicy: try lifecyclePolicy.map { try ECRPolicy(file: FilePath($0)) },
      repositoryPolicy: try repositoryPolicy.map { try ECRPolicy(file: FilePath($0)) })
    let outcome = try await ECRRepositories(access.amazon).create(repository, options)
    if outcome == .created { reporter.report(.notice("made repository \(repository)")) }
  }
}
