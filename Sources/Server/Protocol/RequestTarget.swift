/// The path and the query of a request, percent-decoded.
struct RequestTarget: Equatable {
  let path: String
  private let query: [Item]

  private struct Item: Equatable {
    let name: String
    let value: String
  }

  /// `nil` where an escape is none or what it says is no UTF-8.
  init?(_ text: String) {
    let parts = Self.originForm(text).split(
      separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let path = Self.decode(parts.first ?? "") else { return nil }
    self.path = path
    var query: [Item] = []
    for item in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
      let sides = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Self.decode(sides[0]),
        let value = Self.decode(sides.count > 1 ? sides[1] : "")
      else { return nil }
      query.append(Item(name: name, value: value))
    }
    self.query = query
  }

  /// The first value of a parameter.
  subscript(name: String) -> String? { query.first { $0.name == name }?.value }

  func values(of name: String) -> [String] { query.filter { $0.name == name }.map(\.value) }

  /// The target without scheme and host, which proxies send: RFC 9112, section 3.2.2.
  private static func originForm(_ text: String) -> Substring {
    guard !text.hasPrefix("/"), let scheme = text.firstRange(of: "://") else { return text[...] }
    let rest = text[scheme.upperBound...]
    return rest.firstIndex(of: "/").map { rest[$0...] } ?? "/"
  }

  /// A plus stays one: media types have them, and no parameter here has blanks.
  private static func decode(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit)
      else { return nil }
      bytes.append(high << 4 | low)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }
}
