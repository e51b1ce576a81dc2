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

  /// A `Date` header as every server writes it now: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
  static func parsing(header text: String) -> Int64? {
    let parts = text.split(separator: " ").map(String.init)
    guard parts.count == 6, parts[5] == "GMT", let day = Int64(parts[1]),
      let month = months.firstIndex(of: parts[2]), let year = Int64(parts[3]),
      (1...31).contains(day), (1970...9999).contains(year)
    else { return nil }
    let time = parts[4].split(separator: ":").compactMap { Int64($0) }
    guard time.count == 3, (0...23).contains(time[0]), (0...59).contains(time[1]),
      (0...60).contains(time[2])
    else { return nil }
    return daysSince1970(year: year, month: Int64(month) + 1, day: day) * 86_400
      + time[0] * 3600 + time[1] * 60 + time[2]
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// https://howardhinnant.github.io/date_algorithms.html#days_from_civil, for years after 0.
  private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
    let year = month <= 2 ? year - 1 : year
    let yearOfEra = year % 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return year / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
      - 719_468
  }
}
