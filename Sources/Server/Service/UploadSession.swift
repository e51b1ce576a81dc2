import Bindings
import NIOCore
import OCILayout
import OCISpec
import Synchronization

/// A blob that a client sends in one or several requests, one at a time.
///
/// A class, because the file behind it goes when the last request that knows it does.
final class UploadSession: Sendable {
  /// Unguessable, as whoever knows it may write.
  let id: String
  let repository: RepositoryName
  private let state: Mutex<State>

  private struct State {
    let ingest: BlobIngest
    var lastUse: ContinuousClock.Instant
    var isBusy = false
  }

  init(_ repository: RepositoryName, in store: BlobStore, at now: ContinuousClock.Instant) throws {
    id = Self.randomID()
    self.repository = repository
    state = Mutex(State(ingest: try store.ingest(), lastUse: now))
  }

  var location: String { "/v2/\(repository)/blobs/uploads/\(id)" }
  var byteCount: Int64 { state.withLock { $0.ingest.byteCount } }
  /// `nil` while a request writes.
  var idleSince: ContinuousClock.Instant? { state.withLock { $0.isBusy ? nil : $0.lastUse } }

  /// Runs `body`, which writes, while no other request may.
  func withClaim<Result>(
    clock: @Sendable () -> ContinuousClock.Instant, _ body: () async throws -> Result
  ) async throws -> Result {
    try state.withLock { state throws(RegistryError) in
      guard !state.isBusy else { throw .uploadBusy }
      state.isBusy = true
    }
    defer {
      state.withLock { state in
        state.isBusy = false
        state.lastUse = clock()
      }
    }
    return try await body()
  }

  func append(_ piece: ByteBuffer) throws {
    try state.withLock { state in
      try piece.withUnsafeReadableBytes { try state.ingest.write($0) }
    }
  }

  /// Makes it a blob; the session is over, whatever becomes of it.
  func commit(expecting digest: Digest) throws {
    do { _ = try state.withLock { try $0.ingest.commit(expecting: digest) } } catch {
      guard let problem = error as? LayoutError, case .digestMismatch = problem else {
        throw error
      }
      throw RegistryError.digestInvalid(problem.description)
    }
  }

  /// A UUID of version 4, as the specification wants one.
  private static func randomID() -> String {
    let high = UInt64.random(in: .min ... .max) & ~0xF000 | 0x4000
    let low = UInt64.random(in: .min ... .max) & (~0 >> 2) | 1 << 63
    let hex = [high, low].map { word -> String in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
    var out = ""
    for (index, digit) in hex.enumerated() {
      if [8, 12, 16, 20].contains(index) { out.append("-") }
      out.append(digit)
    }
    return out
  }
}
