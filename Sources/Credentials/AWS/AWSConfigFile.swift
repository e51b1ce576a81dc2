import Reporting

/// An INI file as the AWS command line reads it: sections in brackets, `key = value`, comments at a line's
/// start or after a blank, nested settings indented.
struct AWSConfigFile: Equatable {
  /// What stands in the brackets, with its settings by lower-case key.
  private(set) var sections: [String: [String: String]] = [:]

  /// - Parameter path: for error messages, which never show a line's content.
  init(parsing bytes: [UInt8], path: String) throws(AWSError) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .malformedFile(path: path, line: 1, problem: "expected UTF-8, found other bytes")
    }
    var section: String?
    var key: String?
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() {
      func failure(_ problem: String) -> AWSError {
        .malformedFile(path: path, line: index + 1, problem: problem)
      }
      let content = Self.withoutComment(
        index == 0 && line.hasPrefix("\u{FEFF}") ? line.dropFirst() : line)
      if content.isEmpty { continue }
      if line.first?.isWhitespace == true, let section, let key {
        // A setting within a setting (`s3 =`), which nothing here needs, or a value's next line.
        if sections[section]?[key]?.isEmpty == false {
          sections[section]?[key]?.append("\n\(content)")
        }
        continue
      }
      if content.hasPrefix("[") {
        guard content.hasSuffix("]") else { throw failure("expected \"]\" after a section's name") }
        let name = content.dropFirst().dropLast().trimmed
        guard !name.isEmpty else { throw failure("expected a name between the brackets") }
        section = name
        key = nil
        if sections[name] == nil { sections[name] = [:] }
        continue
      }
      guard let section else { throw failure("expected a section such as [default] first") }
      guard let equals = content.firstIndex(of: "=") else {
        throw failure("expected \"key = value\"")
      }
      let name = content[..<equals].trimmed.lowercased()
      guard !name.isEmpty else { throw failure("expected a key before \"=\"") }
      sections[section]?[name] = content[content.index(after: equals)...].trimmed
      key = name
    }
  }

  private static func withoutComment(_ line: Substring) -> String {
    if let first = line.first, "#;".contains(first) { return "" }
    var before: Character?
    for index in line.indices {
      if "#;".contains(line[index]), before?.isWhitespace == true { return line[..<index].trimmed }
      before = line[index]
    }
    return line.trimmed
  }
}
