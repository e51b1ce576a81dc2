import Synchronization

/// Values that are made on request, kept for a while and shared: whoever asks first makes one, whoever asks
/// meanwhile waits for it.
///
/// A class, because its identity is the memory that all askers share.
final class ExpiringValues<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private typealias Waiter = CheckedContinuation<Result<Value, any Error>?, Never>

  private struct State {
    var kept: [Key: (value: Value, until: Int64)] = [:]
    /// Those who wait for the one who is making a value.
    var waiting: [Key: [Int: Waiter]] = [:]
    var nextWaiter = 0
  }

  private let state = Mutex(State())

  /// - Parameters:
  ///   - isUseless: whether the caller has tried the value that is kept, in vain.
  ///   - make: a new value and the time up to which it is kept. Its failure is everybody's who waits.
  func value(
    for key: Key, now: Int64, unless isUseless: (Value) -> Bool,
    make: () async throws -> (value: Value, until: Int64)
  ) async throws -> Value {
    while true {
      switch begin(key, now: now, unless: isUseless) {
      case .kept(let value): return value
      case .mine: return try await finish(key, make)
      case .others: if let result = await wait(for: key) { return try result.get() }
      }
    }
  }

  private enum Beginning { case kept(Value), mine, others }

  private func begin(_ key: Key, now: Int64, unless isUseless: (Value) -> Bool) -> Beginning {
    state.withLock { state in
      if let kept = state.kept[key], now < kept.until, !isUseless(kept.value) {
        return .kept(kept.value)
      }
      if state.waiting[key] != nil { return .others }
      state.waiting[key] = [:]
      return .mine
    }
  }

  private func finish(
    _ key: Key, _ make: () async throws -> (value: Value, until: Int64)
  ) async throws -> Value {
    let made: Result<(value: Value, until: Int64), any Error>
    do { made = .success(try await make()) } catch { made = .failure(error) }
    let waiters = state.withLock { state in
      state.kept[key] = try? made.get()
      return state.waiting.removeValue(forKey: key) ?? [:]
    }
    let result = made.map(\.value)
    // Who gave up speaks for nobody else: the next one makes the value.
    let hasGivenUp = if case .failure = result { Task.isCancelled } else { false }
    for waiter in waiters.values { waiter.resume(returning: hasGivenUp ? nil : result) }
    return try result.get()
  }

  /// - Returns: `nil` where the caller should begin again.
  private func wait(for key: Key) async -> Result<Value, any Error>? {
    let number = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        let isOver = state.withLock { state in
          if Task.isCancelled || state.waiting[key] == nil { return true }
          state.waiting[key]?[number] = waiter
          return false
        }
        if isOver {
          waiter.resume(returning: Task.isCancelled ? .failure(CancellationError()) : nil)
        }
      }
    } onCancel: {
      let waiter = state.withLock { $0.waiting[key]?.removeValue(forKey: number) }
      waiter?.resume(returning: .failure(CancellationError()))
    }
  }
}
