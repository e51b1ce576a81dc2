import OCISpec
import Reporting

extension Located {
  /// A text, expanded. A plain scalar that YAML reads as something else is refused, because its spelling
  /// would be lost: `0644` is 644 and `1.10` is 1.1.
  ///
  /// - Parameter remedy: what to write in quotes instead, where that is all that is missing.
  func text(_ expected: String = "text", remedy: (String) -> String? = { $0 }) -> String? {
    guard let (text, meaning) = scalar, meaning != .null else {
      mismatch(expected)
      return nil
    }
    guard meaning == .text else {
      let advice = remedy(text).map { "; quote it: \($0.quoted)" } ?? ""
      complain("expected \(expected), found \(found)\(advice)")
      return nil
    }
    return expanded(text)
  }

  private func expanded(_ text: String) -> String? {
    let expansion = Expansion(text, in: scope)
    for problem in expansion.problems { complain(problem) }
    return expansion.problems.isEmpty ? expansion.text : nil
  }

  /// A text that is not empty and has no control characters.
  func line(_ expected: String = "text") -> String? {
    guard let text = text(expected) else { return nil }
    guard !text.isEmpty,
      !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
    else {
      complain(
        "expected \(expected) that is not empty and has no control characters, found \(text.quoted)"
      )
      return nil
    }
    return text
  }

  /// A text that is all of what `parse` accepts.
  ///
  /// - Parameter respelled: what a plain scalar would be as a text, before `parse` has its say.
  func parsed<Value>(
    _ expected: String, respelled: (String) -> String = { $0 }, _ parse: (String) -> Value?
  ) -> Value? {
    let remedy = { (plain: String) -> String? in
      let text = respelled(plain)
      return parse(text) == nil ? nil : text
    }
    guard let text = text(expected, remedy: remedy) else { return nil }
    if let value = parse(text) { return value }
    complain("expected \(expected), found \(text.quoted)")
    return nil
  }

  /// An integer, or a text that became one by expansion.
  func integer(_ expected: String, in range: ClosedRange<Int64>) -> Int64? {
    guard let (source, meaning) = scalar else {
      mismatch(expected)
      return nil
    }
    if case .integer(let value) = meaning {
      if let value, range.contains(value) { return value }
    } else if meaning == .text, case .image = scope, source.contains("${") {
      guard let text = expanded(source) else { return nil }
      if let value = Int64(text), range.contains(value) { return value }
      complain("expected \(expected), found \(text.quoted)")
      return nil
    } else if meaning == .text, Int64(source) != nil {
      complain("expected \(expected), found \(found); write it without quotes")
      return nil
    }
    mismatch(expected)
    return nil
  }

  /// `true` and nothing else.
  func isTrue() -> Bool {
    guard scalar?.meaning == .boolean(true) else {
      mismatch("true")
      return false
    }
    return true
  }

  /// A list of texts.
  func texts(expected: String = "a list") -> [String]? {
    guard let elements = elements(expected: expected) else { return nil }
    let texts = elements.compactMap { $0.text() }
    return texts.count == elements.count ? texts : nil
  }

  /// An absolute path inside the image.
  func imagePath() -> ImagePath? {
    guard let text = text("an absolute path in the image") else { return nil }
    do { return try ImagePath(absolute: text) } catch {
      complain("\(error)")
      return nil
    }
  }
}
