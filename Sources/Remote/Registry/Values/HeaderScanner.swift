/// Reads the value of a header field from left to right: RFC 9110, section 5.6.
struct HeaderScanner {
  private let bytes: [UInt8]
  private var at = 0

  init(_ line: String) { bytes = Array(line.utf8) }

  /// The lines of a field as far as they are looked at: the ones that fit into 16 KiB.
  static func bounded(_ lines: [String]) -> [String] {
    var room = 16 << 10
    return Array(
      lines.prefix { line in
        room -= line.utf8.count
        return room >= 0
      })
  }

  var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard let next, next == UInt8(ascii: character) else { return false }
    at += 1
    return true
  }

  /// - Returns: whether there were any.
  @discardableResult
  mutating func skipBlanks() -> Bool {
    take { $0 == 0x20 || $0 == 0x09 } != nil
  }

  /// Skips to the next member of a list.
  mutating func skipCommas() {
    repeat { skipBlanks() } while take(",")
  }

  /// - Parameter others: bytes that count beside those of a token.
  /// - Returns: `nil` where there is none.
  mutating func token(and others: StaticString = "") -> String? {
    let others = others.withUTF8Buffer(Array.init)
    return take { Self.isToken($0) || others.contains($0) }
  }

  /// Everything before a character; `nil` where it is empty or the character does not come.
  mutating func text(before end: Unicode.Scalar) -> String? {
    var copy = self
    guard let text = copy.take({ $0 != UInt8(ascii: end) }), copy.next != nil else { return nil }
    self = copy
    return text
  }

  /// A text in double quotes, without them and without its backslashes; `nil` where it is none, has no end, or
  /// holds a control character.
  mutating func quotedString() -> String? {
    guard take("\"") else { return nil }
    var out: [UInt8] = []
    while let byte = next {
      at += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: out, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard let escaped = next, Self.isText(escaped) else { return nil }
        at += 1
        out.append(escaped)
      default:
        guard Self.isText(byte) else { return nil }
        out.append(byte)
      }
    }
    return nil
  }

  private mutating func take(_ isWanted: (UInt8) -> Bool) -> String? {
    let start = at
    while let next, isWanted(next) { at += 1 }
    return at > start ? String(decoding: bytes[start..<at], as: UTF8.self) : nil
  }

  private static func isText(_ byte: UInt8) -> Bool {
    byte == 0x09 || (byte >= 0x20 && byte != 0x7F)
  }

  private static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }
}
