/// Results of `transform` in the order of `items`, at most `limit` at a time. The first that fails cancels the
/// others and is thrown once they have ended.
package func concurrently<Item: Sendable, Value: Sendable>(
  _ items: [Item], limit: Int, _ transform: @escaping @Sendable (Item) async throws -> Value
) async throws -> [Value] {
  try await withThrowingTaskGroup(of: (Int, Value).self) { group in
    var results = [Value?](repeating: nil, count: items.count)
    var next = 0
    func start() {
      guard next < items.count else { return }
      let (index, item) = (next, items[next])
      next += 1
      group.addTask { (index, try await transform(item)) }
    }
    for _ in 0..<min(limit, items.count) { start() }
    while let (index, value) = try await group.next() {
      results[index] = value
      start()
    }
    return results.compactMap { $0 }
  }
}
