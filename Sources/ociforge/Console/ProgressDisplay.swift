import Bindings
import Reporting
import Synchronization

/// Progress on stderr: a block of live bars on a terminal, a line for each finished item elsewhere.
struct ProgressDisplay {
  enum Style { case live, plain, none }

  private struct Item {
    let name: String
    var done: Int64
    var total: Int64?
    /// When a plain line last told of it.
    var told: ContinuousClock.Instant
  }

  private let style: Style
  private let clock = ContinuousClock()
  private var items: [Item] = []
  private var drawnLines = 0
  private var lastDraw: ContinuousClock.Instant?

  init(style: Style) { self.style = style }

  mutating func update(_ name: String, done: Int64, total: Int64?) {
    guard style != .none else { return }
    let now = clock.now
    if let index = items.firstIndex(where: { $0.name == name }) {
      items[index].done = done
      items[index].total = total
    } else {
      items.append(Item(name: name, done: done, total: total, told: now))
    }
    if style == .plain { return tell(name, now) }
    if let lastDraw, now - lastDraw < .milliseconds(80) { return }
    lastDraw = now
    draw()
  }

  /// Where nobody sees a bar, a line now and then says that work goes on: silence gets jobs killed.
  private mutating func tell(_ name: String, _ now: ContinuousClock.Instant) {
    guard let index = items.firstIndex(where: { $0.name == name }),
      now - items[index].told >= .seconds(10)
    else { return }
    items[index].told = now
    let item = items[index]
    let total = item.total.map { " of \(readable(byteCount: $0))" } ?? ""
    print("\(name): \(readable(byteCount: item.done))\(total)")
  }

  mutating func finish(_ name: String, _ outcome: String) {
    items.removeAll { $0.name == name }
    if style != .none { print("\(name): \(outcome)") }
  }

  /// Prints a line above the bars.
  mutating func print(_ line: String) {
    clear()
    Console.writeError(line + "\n")
    if style == .live && !items.isEmpty { draw() }
  }

  mutating func clear() {
    guard drawnLines > 0 else { return }
    Console.writeError("\u{1B}[\(drawnLines)A\u{1B}[J")
    drawnLines = 0
  }

  private mutating func draw() {
    let width = max(40, ProcessState.terminalWidth(2) ?? 80)
    let lines = items.prefix(8).map { Self.bar($0, width: width) }
    var text = drawnLines > 0 ? "\u{1B}[\(drawnLines)A\u{1B}[J" : ""
    text += lines.joined(separator: "\n") + "\n"
    Console.writeError(text)
    drawnLines = lines.count
  }

  private static func bar(_ item: Item, width: Int) -> String {
    let name = String(item.name.prefix(28))
    let label = name + String(repeating: " ", count: 28 - name.count)
    guard let total = item.total, total > 0 else {
      return "\(label) \(readable(byteCount: item.done))"
    }
    let share = min(1, Double(item.done) / Double(total))
    let room = max(5, width - 28 - 26)
    let filled = Int(share * Double(room))
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: room - filled)
    return "\(label) \(bar) \(Int(share * 100))% of \(readable(byteCount: total))"
  }
}
