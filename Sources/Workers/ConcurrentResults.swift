/// Results of `transform` in the order of `items`, at most `limit` at a time. One that fails does not stop
/// the others.
package func concurrentResults<Item: Sendable, Value: Sendable>(
  of items: [Item], limit: Int, _ transform: @escaping @Sendable (Item) async throws -> Value
) async -> [Result<Value, any Error>] {
  await withTaskGroup(of: (Int, Result<Value, any Error>).self) { group in
    var results = [Result<Value, any Error>?](repeating: nil, count: items.count)
    func start(_ index: Int) {
      let item = items[index]
      group.addTask {
        do { return (index, .success(try await transform(item))) } catch {
          return (index, .failure(error))
        }
      }
    }
    var started = 0
    while started < min(limit, items.count) {
      start(started)
      started += 1
    }
    while let (index, result) = await group.next() {
      results[index] = result
      if started < items.count {
        start(started)
        started += 1
      }
    }
    return results.compactMap { $0 }
  }
}
