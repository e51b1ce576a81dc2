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
        let before = errno
        var byte = UInt8(truncatingIfNeeded: number)
        _ = write(TerminationSignals.pipe.load(ordering: .sequentiallyConsistent), &byte, 1)
        errno = before
      }
    }
  }

  /// Waits for the first, on a thread of its own, as nobody knows for how long.
  /// - Returns: its number.
  package func first() async throws(FileError) -> Int32 {
    let outcome = await withCheckedContinuation { continuation in
      let waiter = Unmanaged.passRetained(Waiter(received, continuation))
      var thread = pthread_t()
      let failure = pthread_create(&thread, nil, { Waiter.run($0) }, waiter.toOpaque())
      guard failure == 0 else {
        waiter.release()
        continuation.resume(returning: Outcome.failure(Errno(rawValue: failure)))
        return
      }
      pthread_detach(thread)
    }
    do { return try outcome.get() } catch {
      throw FileError("reading", "signals", error)
    }
  }
}

private typealias Outcome = Result<Int32, Errno>

/// What the thread that waits gets. A class, because C hands a pointer to it over.
private final class Waiter: Sendable {
  private let received: FileDescriptor
  private let continuation: CheckedContinuation<Outcome, Never>

  init(_ received: FileDescriptor, _ continuation: CheckedContinuation<Outcome, Never>) {
    self.received = received
    self.continuation = continuation
  }

  static func run(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let pointer else { return nil }
    let waiter = Unmanaged<Waiter>.fromOpaque(pointer).takeRetainedValue()
    var byte: UInt8 = 0
    while true {
      if read(waiter.received.rawValue, &byte, 1) == 1 {
        waiter.continuation.resume(returning: .success(Int32(byte)))
        return nil
      }
      guard errno == EINTR else {
        waiter.continuation.resume(returning: .failure(Errno(rawValue: errno)))
        return nil
      }
    }
  }
}
