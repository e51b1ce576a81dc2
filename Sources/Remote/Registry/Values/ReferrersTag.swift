import OCISpec

/// The tag that stands in for the referrers API where a registry lacks it: distribution-spec, "Referrers Tag
/// Schema".
enum ReferrersTag {
  static func tag(for subject: Digest) -> String {
    tag(algorithm: subject.algorithm.rawValue, encoded: subject.hex)
  }

  /// From any digest, of whatever algorithm.
  static func tag(algorithm: String, encoded: String) -> String {
    let text = "\(algorithm.prefix(32))-\(encoded.prefix(64))"
    return String(text.map { Reference.isTag("_\($0)") ? $0 : "-" })
  }
}
