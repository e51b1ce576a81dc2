import NIOCore
import NIOPosix

/// Threads for work that blocks: compressing, hashing, reading files. Never Swift's own task pool, where it
/// would starve the network (measured: architecture.md).
package struct WorkerPool: Sendable {
  private let pool: NIOThreadPool

  /// As many threads as this process may use: affinity and cgroup quotas count.
  package static var defaultThreadCount: Int { System.coreCount }

  /// Runs `body` with a pool that ends with it.
  package static func with<R>(
    threads: Int, _ body: (WorkerPool) async throws -> R
  ) async throws -> R {
    let pool = NIOThreadPool(numberOfThreads: threads)
    pool.start()
    let result: R
    do { result = try await body(WorkerPool(pool: pool)) } catch {
      try? await pool.shutdownGracefully()
      throw error
    }
    try await pool.shutdownGracefully()
    return result
  }

  /// Runs `work` on one of the threads.
  package func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
    try await pool.runIfActive(work)
  }
}
