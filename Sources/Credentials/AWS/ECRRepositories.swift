package import OCISpec
import Reporting

/// What a new repository is made with.
package struct ECRRepositoryOptions: Sendable, Equatable {
  package var scansOnPush: Bool
  package var hasImmutableTags: Bool
  package var lifecyclePolicy: ECRPolicy?
  package var repositoryPolicy: ECRPolicy?

  package init(
    scansOnPush: Bool = false, hasImmutableTags: Bool = false, lifecyclePolicy: ECRPolicy? = nil,
    repositoryPolicy: ECRPolicy? = nil
  ) {
    self.scansOnPush = scansOnPush
    self.hasImmutableTags = hasImmutableTags
    self.lifecyclePolicy = lifecyclePolicy
    self.repositoryPolicy = repositoryPolicy
  }
}

package enum ECRCreation: Sendable, Equatable {
  case created
  case alreadyExists
}

/// Makes repositories in Amazon ECR (`--create-repository`).
package struct ECRRepositories: Sendable {
  private let credentials: ECRCredentials

  package init(_ credentials: ECRCredentials) { self.credentials = credentials }

  /// Makes a repository unless it exists. What an existing one has is never changed; a policy that it lacks
  /// is added, so that a run which was interrupted between two steps is made good by the next one.
  @discardableResult
  package func create(
    _ repository: Repository, _ options: ECRRepositoryOptions
  ) async throws -> ECRCreation {
    guard let registry = ECRRegistry(repository.registry) else {
      throw ECRRepositoryError.notECR(repository.registry)
    }
    let target = Target(
      registry: registry, repository: repository,
      name: try Self.name(of: repository, in: registry, options))
    let creation = try await make(target, options)
    for (kind, policy) in [
      (PolicyKind.lifecycle, options.lifecyclePolicy), (.repository, options.repositoryPolicy),
    ] {
      guard let policy else { continue }
      if creation == .alreadyExists, try await has(kind, target) { continue }
      try await call(kind.setter, target, [(kind.field, .string(policy.text))])
    }
    return creation
  }

  private struct Target {
    let registry: ECRRegistry
    let repository: Repository
    let name: String
  }

  private struct PolicyKind {
    let getter: String
    let setter: String
    let field: String
    /// What the getter says where there is none.
    let absence: String

    static let lifecycle = PolicyKind(
      getter: "GetLifecyclePolicy", setter: "PutLifecyclePolicy", field: "lifecyclePolicyText",
      absence: "LifecyclePolicyNotFoundException")
    static let repository = PolicyKind(
      getter: "GetRepositoryPolicy", setter: "SetRepositoryPolicy", field: "policyText",
      absence: "RepositoryPolicyNotFoundException")
  }

  /// The repository's name within the account.
  private static func name(
    of repository: Repository, in registry: ECRRegistry, _ options: ECRRepositoryOptions
  ) throws -> String {
    guard registry == .gallery else { return repository.path }
    let unknown =
      (options.scansOnPush ? ["scan on push"] : [])
      + (options.hasImmutableTags ? ["immutable tags"] : [])
      + (options.lifecyclePolicy == nil ? [] : ["lifecycle policy"])
    guard unknown.isEmpty else { throw ECRRepositoryError.notInGallery(unknown) }
    guard let slash = repository.path.firstIndex(of: "/") else {
      throw ECRRepositoryError.noAlias(repository)
    }
    return String(repository.path[repository.path.index(after: slash)...])
  }

  private func make(
    _ target: Target, _ options: ECRRepositoryOptions
  ) async throws -> ECRCreation {
    var scanning = JSONObject()
    scanning.append("scanOnPush", .bool(options.scansOnPush))
    let settings: [(String, JSON)] = [
      ("imageScanningConfiguration", .object(scanning)),
      ("imageTagMutability", options.hasImmutableTags ? "IMMUTABLE" : "MUTABLE"),
    ]
    do {
      try await call("CreateRepository", target, target.registry == .gallery ? [] : settings)
      return .created
    } catch let error as AWSServiceError {
      guard error.code == "RepositoryAlreadyExistsException" else { throw error }
      return .alreadyExists
    }
  }

  private func has(_ policy: PolicyKind, _ target: Target) async throws -> Bool {
    do {
      try await call(policy.getter, target, [])
      return true
    } catch let error as AWSServiceError {
      guard error.code == policy.absence else { throw error }
      return false
    }
  }

  private func call(
    _ name: String, _ target: Target, _ parameters: [(String, JSON)]
  ) async throws {
    var body = JSONObject()
    // The account is the registry's, not that of the credentials: the wrong one must not get the repository.
    if case .account(let account, _, _, _, _) = target.registry {
      body.append("registryId", .string(account))
    }
    body.append("repositoryName", .string(target.name))
    for (key, value) in parameters { body.append(key, value) }
    let operation = try target.registry.operation(
      name, .object(body), at: credentials.surroundings)
    guard try await credentials.perform(operation, of: target.registry) != nil else {
      throw ECRRepositoryError.noCredentials(target.repository)
    }
  }
}
