import OCISpec

/// The `Retry-After` header, RFC 9110, section 10.2.3: seconds, or a date in one of HTTP's three spellings.
enum RetryAfter {
  /// The wait it asks for; never negative. `nil` where it makes no sense.
  /// - Parameter now: seconds since 1970.
  static func wait(_ text: String, now: Int64) -> Duration? {
    let text = text.drop { $0 == " " }.prefix { $0 != "\r" }
    if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      return .seconds(Int64(text) ?? Int64(Int32.max))
    }
    return secondsSince1970(httpDate: text).map { .seconds(max(0, $0 - now)) }
  }
}
