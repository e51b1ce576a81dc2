import OCISpec
import Synchronization

/// What a run knows of one registry's blobs and open uploads.
///
/// A class, because all pushes to the registry share it.
final class PushMemory: Sendable {
  /// A blob in a repository of the registry.
  struct Place: Hashable {
    let path: String
    let digest: Digest
  }

  /// The same blob is sent once at a time.
  let flights = SingleFlight<Place, UploadOutcome>()

  private struct State {
    var present: Set<Place> = []
    var sessions: [Place: UploadSession] = [:]
    var takesChunks = true
  }

  private let state = Mutex(State())

  func isPresent(_ place: Place) -> Bool { state.withLock { $0.present.contains(place) } }
  func add(_ place: Place) { state.withLock { _ = $0.present.insert(place) } }
  func forget(_ place: Place) { state.withLock { _ = $0.present.remove(place) } }

  /// Whether the registry was not found to spoil chunks.
  var takesChunks: Bool { state.withLock { $0.takesChunks } }
  func avoidChunks() { state.withLock { $0.takesChunks = false } }

  /// Keeps a session that nobody has sent to, for whoever uploads the blob.
  /// - Returns: the one that was there before.
  func keep(_ session: UploadSession, for place: Place) -> UploadSession? {
    state.withLock { $0.sessions.updateValue(session, forKey: place) }
  }

  func takeSession(for place: Place) -> UploadSession? {
    state.withLock { $0.sessions.removeValue(forKey: place) }
  }

  func takeSessions() -> [UploadSession] {
    state.withLock { state in
      defer { state.sessions = [:] }
      return Array(state.sessions.values)
    }
  }
}
