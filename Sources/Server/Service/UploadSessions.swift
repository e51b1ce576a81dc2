import OCILayout
import Synchronization

/// The uploads that are under way, limited in number and age: clients die without saying so.
final class UploadSessions: Sendable {
  let clock: @Sendable () -> ContinuousClock.Instant
  private let store: BlobStore
  private let sessions = Mutex<[String: UploadSession]>([:])

  init(_ store: BlobStore, clock: @escaping @Sendable () -> ContinuousClock.Instant) {
    self.store = store
    self.clock = clock
  }

  /// Begins one. What nobody has written to for long goes; so does the one that has waited longest where
  /// there are too many.
  func begin(in repository: RepositoryName) throws -> UploadSession {
    let session = try UploadSession(repository, in: store, at: clock())
    try sessions.withLock { sessions throws(RegistryError) in
      let now = clock()
      let idle = sessions.values.compactMap { session in
        session.idleSince.map { (id: session.id, since: $0) }
      }
      for entry in idle where now - entry.since > Self.maximumAge { sessions[entry.id] = nil }
      if sessions.count >= Self.maximumCount {
        guard let oldest = idle.min(by: { $0.since < $1.since }) else {
          throw .tooManyUploads(limit: Self.maximumCount)
        }
        sessions[oldest.id] = nil
      }
      sessions[session.id] = session
    }
    return session
  }

  /// - Throws: ``RegistryError/uploadUnknown``, also where the session is another repository's.
  func find(_ id: String, in repository: RepositoryName) throws(RegistryError) -> UploadSession {
    guard let session = sessions.withLock({ $0[id] }), session.repository == repository else {
      throw .uploadUnknown
    }
    return session
  }

  func end(_ session: UploadSession) { sessions.withLock { $0[session.id] = nil } }

  func endAll() { sessions.withLock { $0 = [:] } }

  static let maximumCount = 256
  static let maximumAge = Duration.seconds(3600)
}
