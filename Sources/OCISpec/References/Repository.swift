/// Where images of one name are kept: a registry and a path in it, without tag and digest.
package struct Repository: Sendable, Hashable, CustomStringConvertible {
  package let registry: Registry
  /// `library/alpine`: lower case, parts separated by slashes; safe in a URL's path as it stands.
  package let path: String

  package init(registry: Registry, path: String) {
    self.registry = registry
    self.path = path
  }

  /// The longest path that registries take.
  package static let maximumLength = 255

  package var description: String { "\(registry)/\(path)" }

  /// Whether a text is built like a path: distribution-spec, `<name>` in "Pulling manifests". Its length is another matter.
  package static func isPath(_ text: String) -> Bool {
    text.split(separator: "/", omittingEmptySubsequences: false)
      .allSatisfy { isComponent($0.utf8) }
  }

  /// `[a-z0-9]+((?:[._]|__|-+)[a-z0-9]+)*`
  private static func isComponent(_ text: Substring.UTF8View) -> Bool {
    guard let first = text.first, let last = text.last, isLowerOrDigit(first), isLowerOrDigit(last)
    else { return false }
    return text.split(whereSeparator: isLowerOrDigit).allSatisfy { separator in
      [".", "_", "__"].contains(Substring(separator)) || separator.allSatisfy { $0 == 0x2D }
    }
  }

  static func isLowerOrDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte)
  }
}
