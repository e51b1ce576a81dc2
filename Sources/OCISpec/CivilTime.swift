/// Times as the image-spec writes them (RFC 3339), by integer arithmetic alone: no clock, no time zone, no
/// locale.
///
/// - Returns: `1970-01-01T00:00:00Z` and so on, or `nil` outside the years 1970 to 9999.
package func rfc3339(seconds: Int64) -> String? {
  guard (0..<secondsUntilYear10000).contains(seconds) else { return nil }
  let date = civilDate(daysSince1970: seconds / 86_400)
  let time = seconds % 86_400
  let day = "\(date.year)-\(twoDigits(date.month))-\(twoDigits(date.day))"
  let clock = [time / 3600, time / 60 % 60, time % 60].map(twoDigits).joined(separator: ":")
  return "\(day)T\(clock)Z"
}

/// Whether a text is a date and time after RFC 3339, section 5.6, on a day that exists.
package func isRFC3339(_ text: String) -> Bool {
  var rest = Substring(text)
  guard let year = number(4, from: &rest), take("-", from: &rest),
    let month = number(2, from: &rest), take("-", from: &rest),
    let day = number(2, from: &rest), take("T", from: &rest) || take("t", from: &rest),
    takeHourAndMinute(from: &rest), take(":", from: &rest),
    let second = number(2, from: &rest), second <= 60
  else { return false }
  if take(".", from: &rest) {
    guard number(1, from: &rest) != nil else { return false }
    while number(1, from: &rest) != nil {}
  }
  let hasZone =
    take("Z", from: &rest) || take("z", from: &rest)
    || ((take("+", from: &rest) || take("-", from: &rest)) && takeHourAndMinute(from: &rest))
  return hasZone && rest.isEmpty && (1...12).contains(month)
    && (1...dayCount(ofMonth: month, year: year)).contains(day)
}

/// Days from 1970-01-01 to a day of a year after 0:
/// https://howardhinnant.github.io/date_algorithms.html#days_from_civil
package func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
  let year = month <= 2 ? year - 1 : year
  let yearOfEra = year % 400
  let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
  return year / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    - 719_468
}

private let secondsUntilYear10000: Int64 = 253_402_300_800

/// Counts in years that start in March, so that the leap day is a year's last, and in cycles of 400 years,
/// which all have 146,097 days.
private func civilDate(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
  let days = daysSince1970 + 719_468  // since 0000-03-01
  let cycle = days / 146_097, dayOfCycle = days % 146_097
  let yearOfCycle =
    (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
  let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
  let monthFromMarch = (5 * dayOfYear + 2) / 153
  let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  let year = cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0)
  return (year, month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
}

private func dayCount(ofMonth month: Int, year: Int) -> Int {
  let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
}

private func twoDigits(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }

private func take(_ character: Character, from rest: inout Substring) -> Bool {
  guard rest.first == character else { return false }
  rest.removeFirst()
  return true
}

private func number(_ digitCount: Int, from rest: inout Substring) -> Int? {
  let digits = rest.prefix(digitCount)
  guard digits.count == digitCount, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else {
    return nil
  }
  rest.removeFirst(digitCount)
  return Int(digits)
}

private func takeHourAndMinute(from rest: inout Substring) -> Bool {
  guard let hour = number(2, from: &rest), hour <= 23, take(":", from: &rest),
    let minute = number(2, from: &rest)
  else { return false }
  return minute <= 59
}
