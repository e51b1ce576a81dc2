import NIOCore
import NIOPosix

/// Runs a task's synchronous parts (files, hashes, C libraries) on NIO's pool of blocking threads, so that
/// the cooperative pool and the event loops stay free: compression on Swift's own pool once made a 0.12 s
/// pull take 12 s (architecture.md).
///
/// Everything in `body` that is not isolated elsewhere runs there, so state need not be `Sendable` to get
/// there. Threads start with the first use.
package func withBlockingWork<Result>(_ body: () async throws -> Result) async throws -> Result {
  try await withTaskExecutorPreference(BlockingThreads.shared, operation: body)
}

/// How many processors this process may use: affinity and cgroup quotas count.
package var processorCount: Int { System.coreCount }

/// A class, because executors are named by identity.
private final class BlockingThreads: TaskExecutor {
  static let shared = BlockingThreads()

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    NIOThreadPool.singleton.submit { _ in
      job.runSynchronously(on: self.asUnownedTaskExecutor())
    }
  }
}
