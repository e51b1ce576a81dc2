package import Reporting

/// Why bytes are not an I-JSON document, and at which byte.
package struct JSONError: Failure, Equatable {
  package let problem: String
  package let offset: Int

  package init(problem: String, offset: Int) {
    self.problem = problem
    self.offset = offset
  }

  package var kind: FailureKind { .data }
  package var description: String { "not valid JSON: \(problem) at byte \(offset)" }
}

extension JSON {
  /// Deeper documents are refused: nothing in the image-spec needs more, and recursion must end.
  package static let maximumDepth = 128

  /// Parses a whole document after RFC 8259, with the limits of I-JSON (RFC 7493) that the image-spec's
  /// considerations ask for: UTF-8 without a byte order mark, no duplicate keys, nothing after the value.
  package init(parsing bytes: some Sequence<UInt8>) throws(JSONError) {
    var parser = JSONParser(bytes: Array(bytes))
    self = try parser.document()
  }
}

private struct JSONParser {
  let bytes: [UInt8]
  var at = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(JSONError) -> JSON {
    let value = try value(depth: 0)
    skipBlanks()
    guard at == bytes.count else { throw failure("unexpected text after the document") }
    return value
  }

  private func failure(_ problem: String) -> JSONError { JSONError(problem: problem, offset: at) }
  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { at += 1 }
  }

  private mutating func take(_ byte: Character) -> Bool {
    guard next == byte.asciiValue else { return false }
    at += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSON {
    guard depth < JSON.maximumDepth else {
      throw failure("nested deeper than \(JSON.maximumDepth) levels")
    }
    skipBlanks()
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case nil: throw failure("unexpected end")
    case let byte? where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte):
      return try number()
    default: throw failure("unexpected character")
    }
  }

  private mutating func word(_ text: StaticString, _ value: JSON) throws(JSONError) -> JSON {
    let expected = text.withUTF8Buffer(Array.init)
    guard bytes[at...].starts(with: expected) else { throw failure("unexpected character") }
    at += expected.count
    return value
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSON {
    at += 1
    var members = JSONObject()
    var seen = Set<[UInt8]>()
    skipBlanks()
    if take("}") { return .object(members) }
    repeat {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw failure("expected a key in double quotes") }
      let key = try string()
      guard seen.insert(Array(key.utf8)).inserted else {
        throw failure("duplicate key \(key.quoted)")
      }
      skipBlanks()
      guard take(":") else { throw failure("expected \":\" after a key") }
      members.append(key, try value(depth: depth + 1))
      skipBlanks()
    } while take(",")
    guard take("}") else { throw failure("expected \",\" or \"}\"") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSON {
    at += 1
    var values: [JSON] = []
    skipBlanks()
    if take("]") { return .array(values) }
    repeat {
      values.append(try value(depth: depth + 1))
      skipBlanks()
    } while take(",")
    guard take("]") else { throw failure("expected \",\" or \"]\"") }
    return .array(values)
  }

  private mutating func number() throws(JSONError) -> JSON {
    let start = at
    _ = take("-")
    if !take("0") { try digits() }
    var isInteger = true
    if take(".") {
      isInteger = false
      try digits()
    }
    if take("e") || take("E") {
      isInteger = false
      _ = take("+") || take("-")
      try digits()
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    if isInteger, let integer = Int64(text) { return .integer(integer) }
    return .decimal(text)
  }

  private mutating func digits() throws(JSONError) {
    let start = at
    while let byte = next, byte >= 0x30 && byte <= 0x39 { at += 1 }
    guard at > start else { throw failure("expected a digit") }
  }

  private mutating func string() throws(JSONError) -> String {
    at += 1
    var out: [UInt8] = []
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: out, as: UTF8.self) else {
          throw failure("a string that is not UTF-8")
        }
        at += 1
        return text
      case UInt8(ascii: "\\"):
        at += 1
        out += try escape()
      case 0..<0x20: throw failure("a control character in a string")
      default:
        out.append(byte)
        at += 1
      }
    }
    throw failure("unexpected end in a string")
  }

  private mutating func escape() throws(JSONError) -> [UInt8] {
    guard let byte = next else { throw failure("unexpected end in a string") }
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw failure("an unknown escape")
    }
  }

  private mutating func unicodeEscape() throws(JSONError) -> [UInt8] {
    var value = try fourHexDigits()
    if (0xD800..<0xDC00).contains(value) {
      guard take("\\"), take("u") else { throw failure("half of a surrogate pair") }
      let low = try fourHexDigits()
      guard (0xDC00..<0xE000).contains(low) else { throw failure("half of a surrogate pair") }
      value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(value) else { throw failure("half of a surrogate pair") }
    return Array(String(scalar).utf8)
  }

  private mutating func fourHexDigits() throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("expected four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      at += 1
    }
    return value
  }
}
