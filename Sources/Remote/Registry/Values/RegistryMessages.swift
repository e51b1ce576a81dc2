import OCISpec
import Reporting

/// What a registry says went wrong: distribution-spec, "Error Codes".
package struct RegistryMessage: Sendable, Hashable, CustomStringConvertible {
  /// `MANIFEST_UNKNOWN`; empty where none was given. The set is open.
  package let code: String
  package let message: String
  /// Of whatever JSON type it was, as text.
  package let detail: String?

  package init(code: String, message: String, detail: String? = nil) {
    self.code = code
    self.message = message
    self.detail = detail
  }

  /// On one line, safe to print, and short.
  package var description: String {
    let said = [code, message].filter { !$0.isEmpty }.map { $0.shown(512) }.joined(separator: ": ")
    guard let detail, !detail.isEmpty, detail != message else { return said }
    return said.isEmpty ? detail.shown(256) : "\(said) (\(detail.shown(256)))"
  }
}

/// The body of an answer that is an error. Registries, and the proxies before them, send anything.
enum RegistryMessages {
  /// More of a body is not looked at.
  static let byteLimit = 64 << 10

  /// - Returns: nothing where the body says nothing; the first 16 where it says more.
  static func parse(_ body: [UInt8]) -> [RegistryMessage] {
    // Repairs what is no UTF-8.
    let text = String(decoding: body.prefix(byteLimit), as: UTF8.self)
    guard let document = try? JSON(parsing: text.utf8) else { return plain(text) }
    if let errors = document["errors"] {
      return (errors.arrayValue ?? [errors]).lazy.compactMap(message).prefix(16).map { $0 }
    }
    return message(document).map { [$0] } ?? []
  }

  /// All of them on one line.
  static func text(_ messages: [RegistryMessage]) -> String {
    messages.map(\.description).joined(separator: "; ").cut(1024)
  }

  /// Token services name the members as OAuth2 does (RFC 6749, section 5.2), Docker Hub says `details`.
  private static func message(_ value: JSON) -> RegistryMessage? {
    if let text = value.stringValue { return text.isEmpty ? nil : .init(code: "", message: text) }
    func first(_ keys: String...) -> String {
      keys.lazy.compactMap { value[$0]?.stringValue }.first { !$0.isEmpty } ?? ""
    }
    let found = RegistryMessage(
      code: first("code", "error"), message: first("message", "error_description", "details"),
      detail: detail(value["detail"]))
    return found.description.isEmpty ? nil : found
  }

  private static func detail(_ value: JSON?) -> String? {
    switch value {
    case nil, .null: nil
    case .string(let text): text
    case .object(let members) where members.isEmpty: nil
    case .array(let values) where values.isEmpty: nil
    case let value?: String(decoding: CanonicalJSON.encode(value), as: UTF8.self)
    }
  }

  /// Plain text as it is; of a page its title.
  private static func plain(_ text: String) -> [RegistryMessage] {
    var said = text.oneLine[...]
    if said.hasPrefix("<") {
      guard let start = said.firstRange(of: "<title>") ?? said.firstRange(of: "<TITLE>") else {
        return []
      }
      said = said[start.upperBound...].prefix { $0 != "<" }
    }
    return said.isEmpty ? [] : [RegistryMessage(code: "", message: String(said).cut(512))]
  }
}

extension String {
  /// The text without breaks and without blanks around it.
  fileprivate var oneLine: String { split(whereSeparator: \.isWhitespace).joined(separator: " ") }

  fileprivate func cut(_ limit: Int) -> String {
    let head = unicodeScalars.prefix(limit)
    return String(head) + (head.endIndex < unicodeScalars.endIndex ? "…" : "")
  }

  fileprivate func shown(_ limit: Int) -> String { oneLine.cut(limit).printable }
}
