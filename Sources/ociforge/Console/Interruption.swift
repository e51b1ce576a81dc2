import ArgumentParser
import Bindings

/// A command that may hold something open at a registry, which it closes before it ends.
protocol InterruptibleCommand: AsyncParsableCommand, Sendable {}

/// The first SIGINT or SIGTERM cancels such a command, so that it can clean up at the far side: registry.md, D.2. It has
/// two seconds; a second signal ends the process at once.
enum Interruption {
  static func run(_ command: any InterruptibleCommand) async throws {
    let signals = try TerminationSignals()
    let work = Task {
      var command = command
      try await command.run()
    }
    let signal = Task { try await signals.first() }
    let watch = Task {
      let number = try await signal.value
      work.cancel()
      try await Task.sleep(for: .seconds(2))
      OCIForge.exit(withError: ExitCode(128 + number))
    }
    let result = await work.result
    watch.cancel()
    if work.isCancelled { throw ExitCode(128 + (try await signal.value)) }
    try result.get()
  }
}
