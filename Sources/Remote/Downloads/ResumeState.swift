/// What a server says to recognise one version of a file by (RFC 9110, section 8.8). Weak entity tags do not
/// promise equal bytes, so they do not count.
package enum Validator: Sendable, Equatable {
  case entityTag(String)
  case lastModified(String)

  package init?(entityTag: String?, lastModified: String?) {
    if let entityTag, entityTag.hasPrefix("\""), Self.isPlain(entityTag) {
      self = .entityTag(entityTag)
    } else if let lastModified, !lastModified.isEmpty, Self.isPlain(lastModified) {
      self = .lastModified(lastModified)
    } else {
      return nil
    }
  }

  /// From ``text``; `nil` where it is something else or not complete.
  package init?(text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count == 3, lines[2].isEmpty else { return nil }
    switch lines[0] {
    case "ETag": self.init(entityTag: String(lines[1]), lastModified: nil)
    case "Last-Modified": self.init(entityTag: nil, lastModified: String(lines[1]))
    default: return nil
    }
  }

  /// How it is kept beside a partial file.
  package var text: String {
    switch self {
    case .entityTag(let value): "ETag\n\(value)\n"
    case .lastModified(let value): "Last-Modified\n\(value)\n"
    }
  }

  package var value: String {
    switch self {
    case .entityTag(let value), .lastModified(let value): value
    }
  }

  private static func isPlain(_ text: String) -> Bool {
    text.utf8.count <= 1024 && text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
  }
}

/// How much of a file is here, and what an answer does to it: RFC 9110, sections 14 and 15.5.17.
package struct ResumeState: Sendable, Equatable {
  /// The bytes that are here and may be kept; 0 starts from the beginning.
  package let offset: Int64
  package let validator: Validator?

  /// Bytes without a validator cannot be continued.
  package init(byteCount: Int64, validator: Validator?) {
    offset = validator == nil ? 0 : byteCount
    self.validator = offset == 0 ? nil : validator
  }

  package var headers: [(name: String, value: String)] {
    guard let validator else { return [] }
    return [("Range", "bytes=\(offset)-"), ("If-Range", validator.value)]
  }

  package enum Action: Sendable, Equatable {
    /// The body goes on where our bytes end.
    case append(total: Int64?)
    /// The body is the file from its first byte.
    case restart
    /// Our bytes are the whole file already.
    case complete
    /// The answer fits nothing; ask again without a range.
    case startOver
    /// Not an answer to this request.
    case refuse
  }

  package func action(status: Int, contentRange: String?) -> Action {
    switch status {
    case 200: return .restart
    case 206 where offset > 0:
      guard let range = contentRange.flatMap(ContentRange.init), range.first == offset else {
        return .startOver
      }
      return .append(total: range.total)
    case 416 where offset > 0:
      let range = contentRange.flatMap(ContentRange.init)
      return range?.first == nil && range?.total == offset ? .complete : .startOver
    default: return .refuse
    }
  }
}

/// `bytes 5-9/10`, `bytes 5-9/*` or `bytes */10`.
struct ContentRange: Equatable {
  var first: Int64?
  var last: Int64?
  var total: Int64?

  init?(_ text: String) {
    let parts = text.split(separator: " ")
    guard parts.count == 2, parts[0].lowercased() == "bytes" else { return nil }
    let halves = parts[1].split(separator: "/", omittingEmptySubsequences: false)
    guard halves.count == 2 else { return nil }
    if halves[1] != "*" {
      guard let total = Int64(halves[1]), total >= 0 else { return nil }
      self.total = total
    }
    if halves[0] == "*" && total != nil { return }
    let ends = halves[0].split(separator: "-").compactMap { Int64($0) }
    guard ends.count == 2, ends[0] <= ends[1], ends[1] < total ?? .max else { return nil }
    (first, last) = (ends[0], ends[1])
  }
}
