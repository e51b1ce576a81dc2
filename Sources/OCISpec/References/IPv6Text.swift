/// IPv6 addresses as RFC 4291, section 2.2, writes them, without zones and without a dotted tail.
///
/// Here rather than with `inet_pton`, because this target has no C.
enum IPv6Text {
  /// The eight groups; `nil` where the text is no address.
  static func groups(of text: String) -> [UInt16]? {
    guard let gap = text.firstRange(of: "::") else {
      let all = list(text[...])
      return all?.count == 8 ? all : nil
    }
    let head = text[..<gap.lowerBound], tail = text[gap.upperBound...]
    guard let before = head.isEmpty ? [] : list(head), let after = tail.isEmpty ? [] : list(tail)
    else { return nil }
    let missing = 8 - before.count - after.count
    return missing > 0 ? before + Array(repeating: 0, count: missing) + after : nil
  }

  private static func list(_ text: Substring) -> [UInt16]? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let groups = parts.compactMap { part -> UInt16? in
      let isHex = part.utf8.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
      return isHex && part.utf8.count <= 4 ? UInt16(part, radix: 16) : nil
    }
    return groups.count == parts.count ? groups : nil
  }
}
