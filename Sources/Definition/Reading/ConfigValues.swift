/// Ports as definitions write them, in the image-spec's form, `4317/tcp`.
enum ExposedPorts {
  static let pattern = "[0-9]{1,5}(-[0-9]{1,5})?(/(tcp|udp|sctp))?"
  static let expected = "a port from 1 to 65535 such as 4317, \"8125/udp\" or \"9000-9002\""

  /// - Returns: every port of a range; the protocol is `tcp` unless told.
  static func parse(_ text: String) -> Set<String>? {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts.count == 2 ? String(parts[1]) : "tcp"
    let bounds = parts[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let numbers = bounds.compactMap { bound in
      bound.utf8.allSatisfy(\.isDigit)
        ? Int(bound).flatMap { (1...65535).contains($0) ? $0 : nil } : nil
    }
    guard ["tcp", "udp", "sctp"].contains(name), numbers.count == bounds.count,
      let first = numbers.first, let last = numbers.last, first <= last
    else { return nil }
    return Set((first...last).map { "\($0)/\(name)" })
  }
}

/// Signals as runtimes take them: a name or a number.
enum StopSignal {
  static let pattern = "SIG[A-Z0-9]+([+-][0-9]+)?|[0-9]{1,2}"

  static func isValid(_ text: String) -> Bool {
    if text.utf8.allSatisfy(\.isDigit) { return Int(text).map { (1...64).contains($0) } ?? false }
    guard text.hasPrefix("SIG") else { return false }
    let name = text.utf8.dropFirst(3)
    let letters = name.prefix { $0.isDigit || (0x41...0x5A).contains($0) }
    let offset = name.dropFirst(letters.count)
    guard !letters.isEmpty, let sign = offset.first else { return !letters.isEmpty }
    return "+-".utf8.contains(sign) && offset.count > 1 && offset.dropFirst().allSatisfy(\.isDigit)
  }
}

/// Durations in Go's form, such as `1m30s` or `1.5h`.
enum HealthcheckDuration {
  static let pattern = "([0-9]+(\\.[0-9]+)?(h|ms|m|s|us|µs|ns))+|0"
  static let expected = "a duration such as \"30s\", \"1m30s\" or \"500ms\", none or at least 1ms"

  private static let units: [(name: String, nanoseconds: Int64)] = [
    ("h", 3_600_000_000_000), ("ms", 1_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
    ("us", 1_000), ("µs", 1_000), ("ns", 1),
  ]

  /// - Returns: `nil` also for what is above zero and below the millisecond that Docker demands, and for what
  ///   is longer than 64 bits hold.
  static func nanoseconds(_ text: String) -> Int64? {
    if text == "0" { return 0 }
    var rest = text.utf8[...]
    var sum: Int64 = 0
    while !rest.isEmpty {
      guard let part = takePart(&rest) else { return nil }
      let (next, overflows) = sum.addingReportingOverflow(part)
      if overflows { return nil }
      sum = next
    }
    return !text.isEmpty && (sum == 0 || sum >= 1_000_000) ? sum : nil
  }

  private static func takePart(_ rest: inout Substring.UTF8View) -> Int64? {
    let whole = rest.prefix(while: \.isDigit)
    rest = rest.dropFirst(whole.count)
    var fraction: [UInt8] = []
    if rest.first == UInt8(ascii: ".") {
      fraction = Array(rest.dropFirst().prefix(while: \.isDigit))
      guard !fraction.isEmpty else { return nil }
      rest = rest.dropFirst(fraction.count + 1)
    }
    guard let count = Int64(String(Substring(whole))),
      let unit = units.first(where: { rest.starts(with: $0.name.utf8) })
    else { return nil }
    rest = rest.dropFirst(unit.name.utf8.count)
    var (value, overflows) = count.multipliedReportingOverflow(by: unit.nanoseconds)
    var scale = unit.nanoseconds
    for digit in fraction {
      scale /= 10
      let (next, isTooLong) = value.addingReportingOverflow(Int64(digit - 0x30) * scale)
      value = next
      overflows = overflows || isTooLong
    }
    return overflows ? nil : value
  }
}
