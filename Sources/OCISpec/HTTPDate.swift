/// A date as HTTP writes it, RFC 9110, section 5.6.7, in each of its three spellings:
/// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`.
///
/// - Returns: seconds since 1970, or `nil` for what is no such date from 1970 to 9999.
package func secondsSince1970(httpDate text: Substring) -> Int64? {
  var parts = text.split(whereSeparator: { " ,-".contains($0) }).map(String.init)
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

private let months = [
  "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
]
