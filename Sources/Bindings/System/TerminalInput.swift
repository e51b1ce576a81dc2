internal import Glibc
internal import SystemPackage

/// Asks the person at the terminal on stdin.
package enum TerminalInput {
  /// Shows a prompt on stderr and reads a line that is not shown while it is typed, without its end.
  package static func secretLine(prompt: String) throws(FileError) -> String {
    var shown = termios()
    guard tcgetattr(0, &shown) == 0 else { throw failure(Errno(rawValue: errno)) }
    var hidden = shown
    hidden.c_lflag &= ~tcflag_t(ECHO)
    Interruption.restoreLater(shown)
    defer {
      tcsetattr(0, TCSAFLUSH, &shown)
      Interruption.restoreLater(nil)
      // The line's end was not shown either.
      _ = try? FileDescriptor.standardError.writeAll("\n".utf8)
    }
    tcsetattr(0, TCSAFLUSH, &hidden)
    _ = try? FileDescriptor.standardError.writeAll(prompt.utf8)
    // A terminal gives a line at a time, 4,096 bytes at most (termios(3)).
    var line = [UInt8](repeating: 0, count: 1 << 13)
    do {
      let count = try line.withUnsafeMutableBytes {
        try FileDescriptor.standardInput.read(into: $0)
      }
      return String(decoding: line.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    } catch { throw failure(error as? Errno ?? .ioError) }
  }

  private static func failure(_ errno: Errno) -> FileError {
    FileError("reading", "standard input", errno)
  }
}
