import OCISpec

/// The dates that AWS writes and reads, as seconds since 1970.
enum AWSTime {
  /// `20150830T123600Z`, as a signature has it; `nil` outside the years 1970 to 9999.
  static func basic(_ seconds: Int64) -> String? {
    rfc3339(seconds: seconds).map { String($0.filter { $0 != "-" && $0 != ":" }) }
  }

  /// `2026-01-01T00:00:00Z`, with or without a fraction or an offset.
  static func parsing(_ text: String) -> Int64? {
    guard isRFC3339(text) else { return nil }
    let digits = Array(text.utf8)
    func number(_ range: Range<Int>) -> Int64? {
      Int64(String(decoding: digits[range], as: UTF8.self))
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
    else { return nil }
    let local =
      daysSince1970(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60
      + second
    guard digits.last != UInt8(ascii: "Z"), digits.last != UInt8(ascii: "z") else { return local }
    let zone = digits.count - 6
    guard let hours = number(zone + 1..<zone + 3), let minutes = number(zone + 4..<zone + 6) else {
      return nil
    }
    let offset = hours * 3600 + minutes * 60
    return digits[zone] == UInt8(ascii: "-") ? local + offset : local - offset
  }
}
