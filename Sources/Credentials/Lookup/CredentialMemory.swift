import OCISpec
import Synchronization

/// One question to one helper.
struct HelperCall: Sendable, Hashable {
  let helper: CredentialHelper
  let server: String
}

/// What a process has learned of credentials. A class, because all copies of a chain share it.
final class CredentialMemory: Sendable {
  let found = SingleFlight<Repository, FoundCredential?>()
  let answers = SingleFlight<HelperCall, Credential?>()
  private let warnings = Mutex<Set<String>>([])
  private let renewals = Mutex<[RegistryKeys: FoundCredential]>([:])

  /// Whether nobody has been told of it yet.
  func isNew(warning: String) -> Bool { warnings.withLock { $0.insert(warning).inserted } }

  /// What took the place of a credential that the registry refused.
  func renewed(_ registry: Registry) -> FoundCredential? {
    renewals.withLock { $0[RegistryKeys(registry)] }
  }

  func renew(_ registry: Registry, with found: FoundCredential) {
    renewals.withLock { $0[RegistryKeys(registry)] = found }
  }
}
