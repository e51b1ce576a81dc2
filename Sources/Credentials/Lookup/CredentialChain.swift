package import OCISpec
package import Reporting
package import SystemPackage
import Workers

/// A credential that the command line gave, for one registry and no other.
package struct GivenCredential: Sendable {
  package let credential: Credential
  package let registry: Registry
  /// The option that gave it.
  package let option: String

  package init(_ credential: Credential, for registry: Registry, option: String) {
    self.credential = credential
    self.registry = registry
    self.option = option
  }
}

/// Asks for a credential of Amazon ECR; `nil` where the registry is none of it. `rejected` is what the registry
/// refused a moment ago.
package typealias AmazonLookup =
  @Sendable (_ registry: Registry, _ rejected: FoundCredential?) async throws -> FoundCredential?

/// Every source of credentials that this process has, in the order of registry.md, C.9. The first that has one
/// for a repository wins; a source that cannot be asked ends the search.
package struct CredentialChain: Sendable {
  private enum Source {
    case given(GivenCredential)
    case place(CredentialPlace)
    case amazon(AmazonLookup)
  }

  private let sources: [Source]
  private let searchPath: String
  private let limits: HelperLimits
  private let reporter: Reporter
  private let amazon: AmazonLookup?
  private let memory = CredentialMemory()

  /// - Parameters:
  ///   - given: what the command line has, each for its registry.
  ///   - environment: the value of a variable, `nil` where it is absent or empty.
  package init(
    given: [GivenCredential] = [], authFile: FilePath? = nil, environment: (String) -> String?,
    limits: HelperLimits = HelperLimits(), reporter: Reporter, amazon: AmazonLookup? = nil
  ) {
    let places = CredentialPlaces(authFile: authFile, environment: environment)
    sources =
      given.map(Source.given) + places.all.map(Source.place)
      + (amazon.map { [.amazon($0)] } ?? [])
    searchPath = environment("PATH") ?? ""
    self.limits = limits
    self.reporter = reporter
    self.amazon = amazon
  }

  /// Finds what a repository's registry is shown and remembers it. After a refusal it gives what Amazon ECR has
  /// that is newer, and `nil` where there is nothing newer.
  package var provider: CredentialProvider {
    CredentialProvider { repository, rejected in
      if let rejected { return await fresher(than: rejected, for: repository.registry) }
      var known = memory.renewed(repository.registry)
      if known == nil {
        known = try await memory.found.value(for: repository) { try await find(repository) }
      }
      // What ends by itself is remembered by its maker, who knows when.
      guard let amazon, known?.isRenewable == true else { return known }
      return try await amazon(repository.registry, nil) ?? known
    }
  }

  /// What every source says of a repository, in order. An empty path asks for the registry alone.
  package func trail(for repository: Repository) async -> [CredentialSourceReport] {
    var reports: [CredentialSourceReport] = []
    var end: String?
    for source in sources {
      if let end {
        reports.append(report(source, .notAsked, end))
        continue
      }
      do {
        let finding = try await ask(source, for: repository)
        switch finding {
        case .nothing(let reason): reports.append(report(source, .nothing, reason))
        case .found(let found, let key, let helper):
          end = "an earlier source won"
          let summary = CredentialSummary(found.credential)
          reports.append(
            report(
              source, .won, summary.description, key: key, helper: helper, credential: summary))
        }
      } catch {
        end = "the error above ends the search"
        reports.append(report(source, .failed, "\(error)", error: error))
      }
    }
    return reports
  }
}

extension CredentialChain {
  private enum Finding {
    case found(FoundCredential, key: String?, helper: String?)
    case nothing(String)
  }

  private func find(_ repository: Repository) async throws -> FoundCredential? {
    for source in sources {
      guard case .found(let found, _, _) = try await ask(source, for: repository) else { continue }
      reporter.detail("credential for \(repository.registry): \(found.source)")
      return found
    }
    reporter.detail("credential for \(repository.registry): none, so anonymous")
    return nil
  }

  private func ask(_ source: Source, for repository: Repository) async throws -> Finding {
    switch source {
    case .given(let given):
      guard RegistryKeys(given.registry) == RegistryKeys(repository.registry) else {
        return .nothing("given for \(given.registry)")
      }
      return .found(FoundCredential(given.credential, source: given.option), key: nil, helper: nil)
    case .place(let place):
      let loaded = try await withBlockingWork {
        try place.load { text in
          if memory.isNew(warning: text) { reporter.warn(text) }
        }
      }
      switch loaded {
      case .absent(let reason): return .nothing(reason)
      case .file(let file): return try await ask(file, for: repository)
      }
    case .amazon(let lookup):
      if let newer = memory.renewed(repository.registry) {
        return .found(newer, key: nil, helper: nil)
      }
      guard let found = try await lookup(repository.registry, nil) else {
        let isAmazon = ECRRegistry(repository.registry) != nil
        return .nothing(isAmazon ? "no AWS credentials" : "not a registry of Amazon ECR")
      }
      return .found(found, key: nil, helper: nil)
    }
  }

  private func ask(_ file: CredentialFile, for repository: Repository) async throws -> Finding {
    var nothing: String?
    for candidate in file.candidates(for: repository) {
      switch candidate {
      case .helper(let name, let member):
        let helper = try CredentialHelper(
          name, file: file.name, member: member, searchPath: searchPath)
        let call = HelperCall(helper: helper, server: RegistryKeys(repository.registry).canonical)
        let credential = try await memory.answers.value(for: call) {
          try await helper.get(repository.registry, limits: limits)
        }
        guard let credential else {
          nothing = "\(helper.program): not found"
          continue
        }
        let source = "\(helper.program), named by \(file.name.quoted)"
        return .found(
          FoundCredential(credential, source: source), key: member, helper: helper.program)
      case .entry(let key, let entry):
        guard let credential = try entry.credential(file: file.name, key: key) else {
          nothing = nothing ?? "\(key.quoted) stands there without a credential"
          continue
        }
        let source = "\(key.quoted) of \(file.name.quoted)"
        return .found(FoundCredential(credential, source: source), key: key, helper: nil)
      }
    }
    return .nothing(nothing ?? absence(of: repository, in: file))
  }

  private func absence(of repository: Repository, in file: CredentialFile) -> String {
    let registry = repository.registry
    let namespaces = file.namespaces(of: registry).prefix(4).map(\.quoted)
    guard !namespaces.isEmpty else { return "no entry for \(registry)" }
    return "no entry for \(registry), only for \(namespaces.joined(separator: ", "))"
  }

  /// What took the place of a refused credential. A credential that the command line gave has no substitute.
  private func fresher(
    than rejected: FoundCredential, for registry: Registry
  ) async -> FoundCredential? {
    let isGiven = sources.contains {
      if case .given(let given) = $0 { given.option == rejected.source } else { false }
    }
    guard let amazon, !isGiven else { return nil }
    if let newer = memory.renewed(registry), newer.credential != rejected.credential {
      return newer
    }
    do {
      guard let found = try await amazon(registry, rejected),
        found.credential != rejected.credential
      else { return nil }
      memory.renew(registry, with: found)
      return found
    } catch {
      reporter.warn(
        "\(registry) refused the credential of \(rejected.source), and Amazon ECR gave no other: \(error)"
      )
      return nil
    }
  }

  private func report(
    _ source: Source, _ outcome: CredentialSourceReport.Outcome, _ said: String,
    key: String? = nil, helper: String? = nil, credential: CredentialSummary? = nil,
    error: (any Error)? = nil
  ) -> CredentialSourceReport {
    let name: String, path: String?
    switch source {
    case .given(let given): (name, path) = (given.option, nil)
    case .place(let place): (name, path) = (place.name, place.path?.string)
    case .amazon: (name, path) = ("Amazon ECR", nil)
    }
    return CredentialSourceReport(
      name, outcome, said, path: path, key: key, helper: helper, credential: credential,
      error: error)
  }
}
