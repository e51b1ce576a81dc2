import Reporting

/// Says, with `-v`, how long each stage of a command took.
struct Stages {
  private let reporter: Reporter
  private let clock = ContinuousClock()
  private var start: ContinuousClock.Instant

  init(_ reporter: Reporter) {
    self.reporter = reporter
    start = clock.now
  }

  mutating func end(_ name: String) {
    let now = clock.now
    let milliseconds = (now - start) / .milliseconds(1)
    reporter.detail("\(name): \(Int(milliseconds)) ms")
    start = now
  }
}
