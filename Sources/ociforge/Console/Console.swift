import ArgumentParser
import Bindings
import Reporting
import Synchronization
import SystemPackage

/// Where people are told things: stderr. A class, because the live bar and plain lines share one terminal.
final class Console: Sendable {
  enum ProgressStyle: String, ExpressibleByArgument, CaseIterable { case auto, plain, none }
  enum Verbosity: Sendable { case quiet, normal, verbose }

  private let verbosity: Verbosity
  private let display: Mutex<ProgressDisplay>

  init(progress: ProgressStyle, verbosity: Verbosity) {
    self.verbosity = verbosity
    let isLive =
      progress == .auto && ProcessState.isTerminal(2) && environment("TERM") != "dumb"
      && environment("CI") == nil
    let style: ProgressDisplay.Style =
      verbosity == .quiet || progress == .none ? .none : isLive ? .live : .plain
    display = Mutex(ProgressDisplay(style: style))
  }

  /// What stages report to.
  var reporter: Reporter { Reporter { [self] in receive($0) } }

  private func receive(_ event: Event) {
    display.withLock { display in
      switch event {
      case .warning(let text): display.print(Self.label("warning: ", color: 33) + text)
      case .notice(let text) where verbosity != .quiet: display.print(text)
      case .detail(let text) where verbosity == .verbose: display.print(text)
      case .progress(let item, let done, let total): display.update(item, done: done, total: total)
      case .finished(let item, let outcome): display.finish(item, outcome)
      case .notice, .detail: break
      }
    }
  }

  /// Takes the live bar away; called before the answer is printed.
  func close() { display.withLock { $0.clear() } }

  /// Bold and coloured (an SGR number) where a terminal shows it and nobody minds.
  private static func label(_ text: String, color: Int) -> String {
    guard ProcessState.isTerminal(2), environment("NO_COLOR") == nil else { return text }
    return "\u{1B}[1;\(color)m\(text)\u{1B}[0m"
  }

  static func printError(_ failure: any Failure) {
    if let list = failure as? FailureList {
      for failure in list.failures { printError(failure) }
    } else {
      printError(failure.description)
    }
  }

  static func printError(_ text: String) {
    let label = label("error: ", color: 31)
    // What is indented goes on with the line before it, such as something to paste.
    let lines = text.split(separator: "\n").map {
      $0.hasPrefix(" ") ? "\($0)\n" : "\(label)\($0)\n"
    }
    writeError(lines.joined())
  }

  /// Nothing can be done for people where stderr is gone.
  static func writeError(_ text: String) {
    _ = try? FileDescriptor.standardError.writeAll(text.utf8)
  }
}

/// The answer of a command, on stdout and complete, or an error.
func answer(_ text: String) throws { try writeAnswer(Array(text.utf8)) }

/// The same for an answer that is bytes.
func writeAnswer(_ bytes: [UInt8]) throws {
  try withOutput("-") { sink in try bytes.withUnsafeBytes { try sink($0) } }
}
