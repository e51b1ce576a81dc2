import OCISpec
import Synchronization

/// What a run knows of a registry's referrers, and the changes to its fallback tags that wait for their turn.
///
/// A class, because all pushes to the registry share it.
final class ReferrersMemory: Sendable {
  /// A manifest that others refer to.
  struct Subject: Hashable {
    let path: String
    let digest: Digest
  }

  /// One change of a fallback tag at a time; it takes all that wait along.
  let flights = SingleFlight<Subject, Void>()

  private struct State {
    var support: [String: Bool] = [:]
    var changes: [Subject: [ReferrersIndex.Change]] = [:]
  }

  private let state = Mutex(State())

  /// Whether a repository's registry keeps lists; `nil` where nobody has asked yet.
  func support(of path: String) -> Bool? { state.withLock { $0.support[path] } }
  func learn(support: Bool, of path: String) { state.withLock { $0.support[path] = support } }

  func add(_ change: ReferrersIndex.Change, to subject: Subject) {
    state.withLock { $0.changes[subject, default: []].append(change) }
  }

  func isWaiting(_ change: ReferrersIndex.Change, for subject: Subject) -> Bool {
    state.withLock { $0.changes[subject]?.contains(change) ?? false }
  }

  func takeChanges(for subject: Subject) -> [ReferrersIndex.Change] {
    state.withLock { $0.changes.removeValue(forKey: subject) ?? [] }
  }
}
