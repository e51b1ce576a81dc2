import Reporting

extension String {
  /// What another program says, fit to be shown: one line, without what could drive a terminal, and with what
  /// looks like a secret as `…`. URLs lose their queries and passwords, `NAME=VALUE` loses the value where the
  /// name is about secrets, long words of letters and digits go as a whole.
  var redacted: String {
    var words: [String] = []
    var isValue = false
    for word in split(whereSeparator: \.isWhitespace) {
      let shown = isValue ? "…" : Self.redacted(word: word)
      words.append(shown)
      isValue = !isValue && Self.isAboutSecrets(word) && ":=".contains { word.last == $0 }
    }
    return String(words.joined(separator: " ").printable.prefix(512))
  }

  private static let names = ["secret", "password", "passwd", "token"]

  private static func isAboutSecrets(_ word: Substring) -> Bool {
    names.contains(where: word.lowercased().contains)
  }

  private static func redacted(word: Substring) -> String {
    var word = word
    var tail = ""
    if let scheme = word.firstRange(of: "://") {
      if let query = word[scheme.upperBound...].firstIndex(of: "?") {
        word = word[..<query]
        tail = "?…"
      }
      if let at = word.lastIndex(of: "@"), at > scheme.upperBound {
        word = word[..<scheme.upperBound] + word[word.index(after: at)...]
      }
    }
    if let sign = word.firstIndex(where: { $0 == "=" || $0 == ":" }), isAboutSecrets(word),
      word.last != word[sign]
    {
      return "\(word[...sign])…"
    }
    let parts = word.split { !isSecretLetter($0) }
    return parts.contains(where: looksSecret) ? "…" + tail : word + tail
  }

  private static func isSecretLetter(_ letter: Character) -> Bool {
    letter.isASCII && (letter.isLetter || letter.isNumber || "+/_-=".contains(letter))
  }

  private static func looksSecret(_ text: Substring) -> Bool {
    text.count >= 20 && !text.hasPrefix("/") && text.contains(where: \.isNumber)
      && text.contains(where: \.isLetter)
  }
}
