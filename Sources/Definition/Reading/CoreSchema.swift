/// What a plain (unquoted) scalar means: YAML 1.2.2, section 10.3.2, the core schema.
enum PlainScalar: Equatable {
  case null
  case boolean(Bool)
  /// `nil` where the value does not fit 64 bits.
  case integer(Int64?)
  /// A number with a fraction or an exponent, infinity or not-a-number.
  case float
  case text

  init(_ text: String) {
    switch text {
    case "", "~", "null", "Null", "NULL": self = .null
    case "true", "True", "TRUE": self = .boolean(true)
    case "false", "False", "FALSE": self = .boolean(false)
    case ".nan", ".NaN", ".NAN": self = .float
    default: self = Self.number(Array(text.utf8)) ?? .text
    }
  }

  private static func number(_ bytes: [UInt8]) -> PlainScalar? {
    if let value = based(bytes) { return value }
    var rest = bytes[...]
    let sign = rest.first == UInt8(ascii: "-") ? "-" : ""
    if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
    if [".inf", ".Inf", ".INF"].contains(where: { rest.elementsEqual($0.utf8) }) { return .float }
    let whole = rest.prefix(while: \.isDigit)
    rest.removeFirst(whole.count)
    if rest.isEmpty && !whole.isEmpty {
      return .integer(Int64(sign + String(decoding: whole, as: UTF8.self)))
    }
    var fraction: ArraySlice<UInt8> = []
    if rest.first == UInt8(ascii: ".") {
      rest.removeFirst()
      fraction = rest.prefix(while: \.isDigit)
      rest.removeFirst(fraction.count)
    }
    guard !whole.isEmpty || !fraction.isEmpty else { return nil }
    if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
      rest.removeFirst()
      if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
      guard !rest.isEmpty, rest.allSatisfy(\.isDigit) else { return nil }
      return .float
    }
    return rest.isEmpty ? .float : nil
  }

  /// `0o17` and `0x1F`.
  private static func based(_ bytes: [UInt8]) -> PlainScalar? {
    let digits = bytes.dropFirst(2)
    let text = String(decoding: digits, as: UTF8.self)
    guard !digits.isEmpty, digits.first != UInt8(ascii: "-"), digits.first != UInt8(ascii: "+")
    else { return nil }
    if bytes.starts(with: "0o".utf8), digits.allSatisfy({ (0x30...0x37).contains($0) }) {
      return .integer(Int64(text, radix: 8))
    }
    if bytes.starts(with: "0x".utf8), digits.allSatisfy({ $0.hexadecimalValue != nil }) {
      return .integer(Int64(text, radix: 16))
    }
    return nil
  }
}

extension UInt8 {
  var isDigit: Bool { (0x30...0x39).contains(self) }
  var isLowerCaseLetter: Bool { (0x61...0x7A).contains(self) }
  var isLetter: Bool { (self | 0x20).isLowerCaseLetter }

  var hexadecimalValue: UInt8? {
    switch self {
    case 0x30...0x39: self - 0x30
    case 0x41...0x46: self - 0x37
    case 0x61...0x66: self - 0x57
    default: nil
    }
  }
}
