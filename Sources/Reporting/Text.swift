extension String {
  /// The text in double quotes, with control characters and bidirectional overrides escaped, cut after
  /// 1,024 characters: safe to print, wherever it came from.
  package var quoted: String { "\"\(printable)\"" }

  /// The text with everything that could drive a terminal escaped as `\u{…}`, cut after 1,024 characters.
  package var printable: String {
    let head = unicodeScalars.prefix(1024)
    return Self.escaping(head) + (head.endIndex < unicodeScalars.endIndex ? "…" : "")
  }

  /// The whole text with everything that could drive a terminal escaped.
  package var printableInFull: String { Self.escaping(unicodeScalars[...]) }

  private static func escaping(_ scalars: Substring.UnicodeScalarView) -> String {
    var out = ""
    for scalar in scalars {
      switch scalar.value {
      case 0x20..<0x7F, 0xA0..<0x200E, 0x2010..<0x202A, 0x202F..<0x2066, 0x206A...:
        out.unicodeScalars.append(scalar)
      default: out += "\\u{\(String(scalar.value, radix: 16))}"
      }
    }
    return out
  }

  /// The candidate nearest to this text, where one is near enough to be a likely slip: at most a third of
  /// the letters differ, neighbours that were swapped count as one, and letter case is ignored.
  package func nearest(in candidates: some Sequence<String>) -> String? {
    let ranked = candidates.map { (name: $0, distance: lowercased().distance(to: $0.lowercased())) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, Swift.max(count, best.name.count) / 3) ? best.name : nil
  }

  /// Insertions, deletions, substitutions and swaps of neighbours that turn one text into the other.
  private func distance(to other: String) -> Int {
    let a = Array(self), b = Array(other)
    var before: [Int] = []
    var row = Array(0...b.count)
    for i in a.indices {
      var next = [i + 1]
      for j in b.indices {
        var best = Swift.min(row[j] + (a[i] == b[j] ? 0 : 1), row[j + 1] + 1, next[j] + 1)
        if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
          best = Swift.min(best, before[j - 1] + 1)
        }
        next.append(best)
      }
      before = row
      row = next
    }
    return row[b.count]
  }
}

/// A byte count as people read it: `512 B`, `24.1 MB` (powers of 1000).
package func readable(byteCount: Int64) -> String {
  guard byteCount >= 1000 else { return "\(byteCount) B" }
  var tenths = byteCount / 100, unit = 0
  while tenths >= 9_995 && unit < 3 {
    tenths = (tenths + 500) / 1000
    unit += 1
  }
  return "\(tenths / 10).\(tenths % 10) \(["kB", "MB", "GB", "TB"][unit])"
}
