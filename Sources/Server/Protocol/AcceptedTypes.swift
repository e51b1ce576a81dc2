import OCISpec

/// The media types that a client takes: `Accept`, RFC 9110, section 12.5.1.
struct AcceptedTypes {
  private let patterns: [String]

  /// - Parameter headers: every value of the header; none takes everything.
  init(_ headers: [String]) {
    patterns = headers.flatMap { $0.split(separator: ",") }.compactMap { item in
      let parts = item.split(separator: ";").map(\.bare)
      let isRefused = parts.dropFirst().contains {
        $0.hasPrefix("q=") && Double($0.dropFirst(2)) == 0
      }
      return isRefused ? nil : parts.first
    }
    isEverything = headers.isEmpty
  }

  private let isEverything: Bool

  func contains(_ type: MediaType) -> Bool {
    isEverything
      || patterns.contains {
        $0 == "*/*" || $0 == "application/*" || $0 == type.rawValue.lowercased()
      }
  }
}

extension MediaType {
  /// The type that a `Content-Type` says, its parameters left out.
  init(contentType text: String) {
    self.init(rawValue: text.prefix { $0 != ";" }.bare)
  }
}

extension Substring {
  /// In lower case and without blanks around it.
  fileprivate var bare: String {
    let isBlank = { (character: Character) in character == " " || character == "\t" }
    return String(
      drop(while: isBlank).reversed().drop(while: isBlank).reversed()
    ).lowercased()
  }
}
