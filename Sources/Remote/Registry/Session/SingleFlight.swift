import Synchronization

/// Work that many ask for at once and one of them does.
///
/// A class, because those who wait are known to it.
final class SingleFlight<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private typealias Waiter = CheckedContinuation<Result<Value, any Error>?, Never>

  /// Who waits for whom; a key is here as long as somebody works for it.
  private let flights = Mutex<[Key: [Int: Waiter]]>([:])
  private let numbers = Mutex(0)

  /// What `work` gives, done by this task or by one that began before. Its error is everybody's, but where only the
  /// worker was cancelled another one takes over.
  func value(for key: Key, _ work: () async throws -> Value) async throws -> Value {
    while true {
      try Task.checkCancellation()
      let leads = flights.withLock { flights in
        if flights[key] != nil { return false }
        flights[key] = [:]
        return true
      }
      guard !leads else { return try await lead(key, work) }
      if let result = await wait(for: key) { return try result.get() }
    }
  }

  private func lead(_ key: Key, _ work: () async throws -> Value) async throws -> Value {
    let result: Result<Value, any Error>
    do { result = .success(try await work()) } catch { result = .failure(error) }
    let isAbandoned = result.isFailure && (Task.isCancelled || result.isCancellation)
    let waiters = flights.withLock { $0.removeValue(forKey: key) } ?? [:]
    for waiter in waiters.values { waiter.resume(returning: isAbandoned ? nil : result) }
    return try result.get()
  }

  /// - Returns: `nil` where there is nothing to wait for any more; look again.
  private func wait(for key: Key) async -> Result<Value, any Error>? {
    let number = numbers.withLock { number in
      number += 1
      return number
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        let isWaiting = flights.withLock { flights in
          guard !Task.isCancelled, flights[key] != nil else { return false }
          flights[key]?[number] = waiter
          return true
        }
        if !isWaiting { waiter.resume(returning: nil) }
      }
    } onCancel: {
      flights.withLock { $0[key]?.removeValue(forKey: number) }?.resume(returning: nil)
    }
  }
}

extension Result {
  fileprivate var isFailure: Bool { if case .failure = self { true } else { false } }

  fileprivate var isCancellation: Bool {
    if case .failure(let error) = self { error is CancellationError } else { false }
  }
}
