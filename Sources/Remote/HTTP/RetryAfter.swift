/// The `Retry-After` header, RFC 9110, section 10.2.3: seconds, or a date in one of HTTP's three spellings.
enum RetryAfter {
  /// The wait it asks for; never negative. `nil` where it makes no sense.
  /// - Parameter now: seconds since 1970.
  static func wait(_ text: String, now: Int64) -> Duration? {
    let text = text.drop { $0 == " " }.prefix { $0 != "\r" }
    if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      return .seconds(Int64(text) ?? Int64(Int32.max))
    }
    return seconds(ofDate: text).map { .seconds(max(0, $0 - now)) }
  }

  /// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`, as
  /// seconds since 1970.
  private static func seconds(ofDate text: Substring) -> Int64? {
    var parts = text.split { " ,-".contains($0) }.map(String.init)
    guard parts.count == 5 || (parts.count == 6 && parts[5] == "GMT") else { return nil }
    if parts.count == 5 { parts = [parts[0], parts[2], parts[1], parts[4], parts[3]] }
    let time = parts[4].split(separator: ":").compactMap { Int64($0) }
    guard let day = Int64(parts[1]), let month = months.firstIndex(of: parts[2]),
      var year = Int64(parts[3]), time.count == 3, (1...31).contains(day),
      (0...23).contains(time[0]), (0...59).contains(time[1]), (0...60).contains(time[2])
    else { return nil }
    if year < 100 { year += year < 70 ? 2000 : 1900 }
    guard (1970...9999).contains(year) else { return nil }
    let days = daysSince1970(year: year, month: Int64(month) + 1, day: day)
    return days * 86_400 + time[0] * 3600 + time[1] * 60 + time[2]
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
