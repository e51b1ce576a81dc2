import Dispatch
internal import Glibc
internal import Synchronization
import SystemPackage

/// `SIGINT` and `SIGTERM` as an event, for a command that has to clean up before it ends.
///
/// From its making on, the first of them no longer ends the process; the second does, at once. One that whoever
/// started us has set to be ignored stays so.
package struct TerminationSignals: Sendable {
  private let received: FileDescriptor
  /// Where the handler writes: a handler may use nothing that is not here before it runs.
  private static let pipe = Atomic<Int32>(-1)

  /// Once in a process.
  package init() throws(FileError) {
    do {
      let ends = try FileDescriptor.pipe(options: [.closeOnExec])
      received = ends.readEnd
      Self.pipe.store(ends.writeEnd.rawValue, ordering: .sequentiallyConsistent)
    } catch { throw FileError("making a pipe", "signals", error) }
    for number in [SIGINT, SIGTERM] where !ProcessState.isIgnored(number) {
      _ = signal(number) { number in
        for number in [SIGINT, SIGTERM] { _ = signal(number) { _exit(128 + $0) } }
        var byte = UInt8(truncatingIfNeeded: number)
        _ = write(TerminationSignals.pipe.load(ordering: .sequentiallyConsistent), &byte, 1)
      }
    }
  }

  /// Waits for the first.
  /// - Returns: its number.
  package func first() async -> Int32 {
    await withCheckedContinuation { continuation in
      let source = DispatchSource.makeReadSource(fileDescriptor: received.rawValue)
      source.setEventHandler {
        var byte: UInt8 = 0
        guard read(received.rawValue, &byte, 1) == 1 else { return }
        source.cancel()
        continuation.resume(returning: Int32(byte))
      }
      source.resume()
    }
  }
}
