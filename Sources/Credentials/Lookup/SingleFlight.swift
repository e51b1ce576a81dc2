/// Makes a value for each key once, however many ask at the same time. What failed stays failed; what was
/// cancelled is made again for the next.
///
/// An actor, because whoever comes while a value is made waits for it.
actor SingleFlight<Key: Hashable & Sendable, Value: Sendable> {
  private enum State {
    case made(Result<Value, any Error>)
    case making([CheckedContinuation<Void, Never>])
  }

  private var states: [Key: State] = [:]

  func value(for key: Key, _ make: () async throws -> Value) async throws -> Value {
    while true {
      switch states[key] {
      case .made(let result): return try result.get()
      case .making(let waiting):
        await withCheckedContinuation { states[key] = .making(waiting + [$0]) }
      case nil:
        states[key] = .making([])
        let result: Result<Value, any Error>
        do { result = .success(try await make()) } catch { result = .failure(error) }
        let waiting: [CheckedContinuation<Void, Never>]
        if case .making(let others) = states[key] { waiting = others } else { waiting = [] }
        states[key] = Task.isCancelled ? nil : .made(result)
        for continuation in waiting { continuation.resume() }
        return try result.get()
      }
    }
  }
}
