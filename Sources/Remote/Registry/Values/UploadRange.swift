/// What a registry has of an upload: the `Range` field of its answers, `0-<end>`, distribution-spec, "Pushing a
/// blob in chunks".
struct UploadRange: Sendable, Equatable {
  let start: Int64
  /// The last byte's place, not the one after it.
  let end: Int64

  /// `nil` where the text is none; `bytes=` may stand before it.
  init?(_ text: String) {
    let prefix = "bytes="
    let range = text.lowercased().hasPrefix(prefix) ? text.dropFirst(prefix.count) : text[...]
    let ends = range.split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2, let start = Self.number(ends[0]), let end = Self.number(ends[1]),
      start <= end
    else { return nil }
    self.start = start
    self.end = end
  }

  private static func number(_ text: Substring) -> Int64? {
    let digits = text.drop { $0 == " " }.prefix { $0 != " " }
    return digits.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int64(digits) : nil
  }

  /// How many bytes from the first one on the registry has.
  ///
  /// distribution and zot say `0-0` for no byte as well as for one: that counts as none unless one was
  /// acknowledged.
  /// - Parameters:
  ///   - sent: all that was sent in this upload.
  ///   - acknowledged: what answers before this one confirmed.
  /// - Returns: `nil` where it cannot be true, so that the upload is to be given up.
  func byteCount(sent: Int64, acknowledged: Int64) -> Int64? {
    guard start == 0 else { return nil }
    if end == 0 { return acknowledged >= 1 ? 1 : 0 }
    return end < sent ? end + 1 : nil
  }
}
