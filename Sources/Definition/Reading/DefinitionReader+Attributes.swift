import Bindings
import OCISpec
import Reporting

extension DefinitionReader {
  func readAttributes(_ members: Members) -> EntryAttributes {
    if members["hardlink"] != nil {
      members.refuse(
        ["mode", "owner", "mtime", "xattrs"], because: "which a hardlink shares with its file")
    } else if members["remove"] != nil {
      members.refuse(
        ["mode", "owner", "mtime", "xattrs"], because: "which nothing has that is removed")
    } else if members["symlink"] != nil {
      members.refuse(["mode"], because: "which symlinks do not have")
    } else if members["tree"] != nil || members["archive"] != nil {
      members.refuse(["xattrs"], because: "which a single file or directory has")
    }
    return EntryAttributes(
      mode: members["mode"]?.parsed(
        "a quoted octal mode such as \"0644\"",
        respelled: { $0.hasPrefix("0o") ? "0" + $0.dropFirst(2) : $0 }, parseMode),
      owner: members["owner"]?.parsed(
        "\"uid:gid\", numbers from 0 to \(ObjectShape.maximumID)", parseOwner),
      mtime: members["mtime"].flatMap { readTime($0) },
      xattrs: members["xattrs"].map { readExtendedAttributes($0) } ?? [])
  }

  private func parseMode(_ text: String) -> UInt32? {
    guard (3...4).contains(text.utf8.count), text.utf8.allSatisfy(\.isDigit) else { return nil }
    return UInt32(text, radix: 8)
  }

  private func parseOwner(_ text: String) -> Owner? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let ids = parts.compactMap { part in
      part.utf8.allSatisfy(\.isDigit)
        ? Int64(part).flatMap { $0 <= ObjectShape.maximumID ? $0 : nil } : nil
    }
    return parts.count == 2 && ids.count == 2 ? Owner(uid: ids[0], gid: ids[1]) : nil
  }

  private func readTime(_ value: Located) -> Int64? {
    let expected =
      "seconds from 0 to \(ObjectShape.maximumTime), or a time such as 2025-07-15T00:00:00Z"
    if case .integer = value.scalar?.meaning {
      return value.integer(expected, in: 0...ObjectShape.maximumTime)
    }
    return value.parsed(expected) { text in
      let seconds = text.utf8.allSatisfy(\.isDigit) ? Int64(text) : utcSeconds(parsing: text)
      return seconds.flatMap { (0...ObjectShape.maximumTime).contains($0) ? $0 : nil }
    }
  }

  private func readExtendedAttributes(_ value: Located) -> [ExtendedAttribute] {
    var attributes: [ExtendedAttribute] = []
    for member in value.entries() ?? [] {
      let isUser = member.key.hasPrefix("user.") && member.key.utf8.count > 5
      if !isUser && member.key != "security.capability" {
        member.value.complain(
          "expected \"user.*\" or \"security.capability\", found \(member.key.quoted)",
          at: member.keyPosition)
      } else if member.key.utf8.count > 255 {
        member.value.complain(
          "expected a name of at most 255 bytes, found a longer one", at: member.keyPosition)
      }
      guard let bytes = readBytes(member.value) else { continue }
      attributes.append(ExtendedAttribute(name: Array(member.key.utf8), value: bytes))
    }
    return attributes.sorted { $0.name.lexicographicallyPrecedes($1.name) }
  }

  private func readBytes(_ value: Located) -> [UInt8]? {
    guard value.isMap else { return value.text().map { Array($0.utf8) } }
    let members = Members(value, .bytes, expected: "text or a map with \"base64\"")
    return members?["base64"]?.parsed("base64", bytes(base64:))
  }
}

/// The bytes of a text in base64 with its padding: RFC 4648, section 4.
func bytes(base64 text: String) -> [UInt8]? {
  let digits = text.utf8.prefix { $0 != UInt8(ascii: "=") }
  guard text.utf8.count % 4 == 0, text.utf8.count - digits.count <= 2,
    text.utf8.dropFirst(digits.count).allSatisfy({ $0 == UInt8(ascii: "=") })
  else { return nil }
  var out: [UInt8] = []
  var bits: UInt32 = 0, count = 0
  for digit in digits {
    let value: UInt8
    switch digit {
    case 0x41...0x5A: value = digit - 0x41
    case 0x61...0x7A: value = digit - 0x61 + 26
    case 0x30...0x39: value = digit - 0x30 + 52
    case UInt8(ascii: "+"): value = 62
    case UInt8(ascii: "/"): value = 63
    default: return nil
    }
    bits = bits << 6 | UInt32(value)
    count += 6
    if count >= 8 {
      count -= 8
      out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      bits &= (1 << UInt32(count)) - 1
    }
  }
  return bits == 0 ? out : nil
}

/// Seconds since 1970 of a time such as `2025-07-15T00:00:00Z`; `nil` where it is written otherwise or no
/// calendar has it. A leap second is not a time here.
func utcSeconds(parsing text: String) -> Int64? {
  let bytes = Array(text.utf8)
  let pattern = Array("0000-00-00T00:00:00Z".utf8)
  guard bytes.count == pattern.count,
    zip(bytes, pattern).allSatisfy({ $1.isDigit ? $0.isDigit : $0 == $1 })
  else { return nil }
  func number(_ range: Range<Int>) -> Int64 {
    bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) }
  }
  let year = number(0..<4), month = number(5..<7), day = number(8..<10)
  let hour = number(11..<13), minute = number(14..<16), second = number(17..<19)
  let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
  let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  guard (1...12).contains(month), (1...lengths[Int(month) - 1]).contains(day), hour < 24,
    minute < 60, second < 60
  else { return nil }
  // Days before this year, from year 0, which has 366; then those of its months.
  let before = year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400
  let days = before - 719_528 + lengths.prefix(Int(month) - 1).reduce(0, +) + day - 1
  return ((days * 24 + hour) * 60 + minute) * 60 + second
}
