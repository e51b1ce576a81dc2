import Synchronization

/// Keeps every task from a host that asked for a pause, until the pause is over.
///
/// A class, because all tasks share it.
final class HostGate: Sendable {
  private let pause: Pause
  /// When hosts are open again, in ``Pause/uptime``.
  private let openings = Mutex<[String: Duration]>([:])

  init(pause: Pause) { self.pause = pause }

  func close(_ url: RemoteURL, for wait: Duration) {
    let opening = pause.uptime() + wait
    openings.withLock { $0[url.authority] = max($0[url.authority] ?? opening, opening) }
  }

  /// Waits until the host may be asked.
  func pass(_ url: RemoteURL) async throws {
    while let opening = openings.withLock({ $0[url.authority] }) {
      let rest = opening - pause.uptime()
      if rest > .zero { try await pause.sleep(rest) }
      openings.withLock { if $0[url.authority] == opening { $0[url.authority] = nil } }
    }
  }
}
