import Foundation
import Server
import SystemPackage
import TestSupport

/// A thread for each step of a task. Running a program blocks its thread, and a registry within this process
/// needs some of Swift's few threads to answer that program.
///
/// A class, because executors are named by identity.
private final class OwnThreads: TaskExecutor {
  static let shared = OwnThreads()

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    Thread.detachNewThread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}

extension FaultyRegistry {
  /// The same as ``run(layout:wrapping:fault:_:)`` for a `body` that runs programs.
  @discardableResult
  static func serve<Result>(
    layout: FilePath? = nil,
    wrapping: @escaping (@escaping RequestHandler) -> RequestHandler = { $0 },
    fault: @escaping @Sendable (Request) -> Fault? = { _ in nil },
    _ body: (FaultyRegistry) async throws -> Result
  ) async throws -> Result {
    try await run(layout: layout, wrapping: wrapping, fault: fault) { registry in
      try await withTaskExecutorPreference(OwnThreads.shared) { try await body(registry) }
    }
  }
}
