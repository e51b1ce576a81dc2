import Reporting

/// The warnings that a registry sends with its answers: distribution-spec, "Warnings". They are shown once and
/// never acted upon.
struct RegistryWarnings: Sendable {
  private var seen: Set<String> = []
  private var room = 4096

  /// Reads the `Warning` field of an answer.
  ///
  /// - Returns: the texts that did not come before, safe to print. 4,096 bytes of one registry are enough; what
  ///   comes beyond them is dropped.
  mutating func collect(_ lines: [String]) -> [String] {
    var new: [String] = []
    for text in HeaderScanner.bounded(lines).flatMap(Self.texts)
    where !seen.contains(text) && text.utf8.count <= room {
      room -= text.utf8.count
      seen.insert(text)
      new.append(text.printable)
    }
    return new
  }

  /// `299 - "text"`, and more of it after commas; the date that RFC 7234 had after the text is skipped.
  private static func texts(of line: String) -> [String] {
    var scanner = HeaderScanner(line)
    var texts: [String] = []
    scanner.skipCommas()
    while let code = scanner.token(), scanner.skipBlanks(), scanner.token(and: ":[]/@") != nil,
      scanner.skipBlanks(), let text = scanner.quotedString()
    {
      scanner.skipBlanks()
      if scanner.next == UInt8(ascii: "\"") { _ = scanner.quotedString() }
      scanner.skipBlanks()
      guard scanner.next == nil || scanner.next == UInt8(ascii: ",") else { break }
      if code == "299" && !text.isEmpty { texts.append(text) }
      scanner.skipCommas()
    }
    return texts
  }
}
