internal import Glibc

/// What is set once, before anything else runs.
package enum ProcessState {
  /// Keeps the machine's settings out of the bytes, and ends at once when told to.
  ///
  /// zlib on s390x would compress in hardware, with other bytes, unless `DFLTCC` is 0 (madler/zlib#410). As
  /// process 1 of a container there is no default action for signals, so there is one here; what is left
  /// behind is cleared by the next run. A signal that whoever started us has set to be ignored (`nohup`,
  /// `trap '' INT`) stays so. Programs that run for us are told to end too (``ChildProcess``).
  package static func prepare() {
    unsetenv("DFLTCC_LEVEL_MASK")
    setenv("DFLTCC", "0", 1)
    Interruption.prepare()
    for number in [SIGINT, SIGTERM] where !isIgnored(number) {
      _ = signal(number) {
        Interruption.undo()
        _exit(128 + $0)
      }
    }
  }

  static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return false }
    let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
    return handler == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Whether a descriptor is a terminal.
  package static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  /// The columns of the terminal behind a descriptor, or `nil`.
  package static func terminalWidth(_ descriptor: Int32) -> Int? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }
}
