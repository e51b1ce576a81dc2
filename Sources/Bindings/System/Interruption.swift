internal import Glibc
internal import Synchronization

/// What must be undone when a signal ends this process: programs that it runs are told to end too, and a
/// terminal shows again what is typed. The signal's handler reads this, so it is plain memory that never moves.
enum Interruption {
  private static let capacity = 64
  nonisolated(unsafe) private static let groups: UnsafeMutablePointer<pid_t> = {
    let groups = UnsafeMutablePointer<pid_t>.allocate(capacity: capacity)
    groups.initialize(repeating: 0, count: capacity)
    return groups
  }()
  nonisolated(unsafe) private static let terminal: UnsafeMutablePointer<termios?> = {
    let terminal = UnsafeMutablePointer<termios?>.allocate(capacity: 1)
    terminal.initialize(to: nil)
    return terminal
  }()
  private static let writers = Mutex(())

  /// Makes the memory, so that a handler does not.
  static func prepare() { _ = (groups, terminal) }

  static func add(group: pid_t) { replace(0, with: group) }
  static func remove(group: pid_t) { replace(group, with: 0) }

  private static func replace(_ old: pid_t, with new: pid_t) {
    writers.withLock { _ in
      // More programs than places at once: the signal does not reach the last ones.
      if let index = (0..<capacity).first(where: { groups[$0] == old }) { groups[index] = new }
    }
  }

  /// The settings that the terminal on stdin must get back, `nil` where it has them.
  static func restoreLater(_ settings: termios?) { terminal.pointee = settings }

  /// Safe in a signal's handler.
  static func undo() {
    for index in 0..<capacity where groups[index] > 0 { kill(-groups[index], SIGTERM) }
    if var settings = terminal.pointee { tcsetattr(0, TCSANOW, &settings) }
  }
}
