import Reporting

/// One rule of the image-spec that an image breaks.
package struct Violation: Sendable, Hashable, CustomStringConvertible {
  package enum Severity: Sendable, Hashable {
    /// The specification says MUST, or what is there cannot be used.
    case must
    /// The specification says SHOULD.
    case should
  }

  package let severity: Severity
  /// The document, blob or layer: `index.json`, `manifest sha256:…`, `layer 2 sha256:…`.
  package let subject: String
  /// Where in it: a JSON pointer, or a path inside the layer; empty for all of it.
  package let pointer: String
  /// The file of the image-spec and its section or field: `config.md: rootfs.diff_ids`.
  package let rule: String
  /// What was expected and what was found.
  package let text: String

  package init(
    _ severity: Severity = .must, subject: String, pointer: String = "", rule: String, text: String
  ) {
    self.severity = severity
    self.subject = subject
    self.pointer = pointer
    self.rule = rule
    self.text = text
  }

  /// One line, safe to print.
  package var description: String {
    let place = pointer.isEmpty ? subject : "\(subject) at \(pointer)"
    return "\(place): \(text) (\(severity == .should ? "advice of " : "")\(rule))".printable
  }
}
