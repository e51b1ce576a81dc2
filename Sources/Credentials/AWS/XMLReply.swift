/// The texts of a small XML document, as STS answers: elements, attributes that are skipped, text and the
/// five named entities. Document types, which can make an answer grow, are refused.
struct XMLReply {
  /// By the path of element names: `ErrorResponse/Error/Code`. The first of each name counts.
  private var texts: [String: String] = [:]

  subscript(path: String) -> String? { texts[path] }

  struct Problem: Error, Equatable { let text: String }

  /// - Parameter bytes: at most as many as ``AWSOperation/responseLimit``.
  init(parsing bytes: [UInt8]) throws(Problem) {
    guard let document = String(validating: bytes, as: UTF8.self) else {
      throw Problem(text: "XML that is not UTF-8")
    }
    var rest = document[...]
    var path: [String] = []
    var text = ""
    var isComplete = false
    while !rest.isEmpty {
      let plain = rest.prefix { $0 != "<" }
      text += try Self.unescaped(plain)
      rest = rest[plain.endIndex...]
      guard !rest.isEmpty else { break }
      if rest.hasPrefix("<!--") || rest.hasPrefix("<?") {
        rest = try Self.skip(to: rest.hasPrefix("<?") ? "?>" : "-->", in: rest)
        continue
      }
      guard let end = rest.firstIndex(of: ">") else {
        throw Problem(text: "XML that ends in a tag")
      }
      let tag = rest[..<end].dropFirst()
      rest = rest[rest.index(after: end)...]
      if tag.hasPrefix("/") {
        guard let open = path.popLast(), tag.dropFirst().trimmed == open else {
          throw Problem(text: "XML with tags that do not match")
        }
        let name = (path + [open]).joined(separator: "/")
        if texts[name] == nil { texts[name] = text.trimmed }
        isComplete = path.isEmpty
      } else {
        let name = tag.prefix { !" \t\r\n/".contains($0) }
        guard let first = name.first, first.isASCII, first.isLetter, !isComplete,
          path.count < Self.depthLimit
        else { throw Problem(text: "XML of a kind that no answer has") }
        if !tag.hasSuffix("/") { path.append(String(name)) }
      }
      text = ""
    }
    guard isComplete else { throw Problem(text: "XML that is not complete") }
  }

  private static let depthLimit = 16

  private static func skip(to end: String, in text: Substring) throws(Problem) -> Substring {
    guard let range = text.firstRange(of: end) else {
      throw Problem(text: "XML that ends in a note")
    }
    return text[range.upperBound...]
  }

  private static func unescaped(_ text: Substring) throws(Problem) -> String {
    var out = ""
    var rest = text
    while let ampersand = rest.firstIndex(of: "&") {
      out += rest[..<ampersand]
      let entity = rest[ampersand...].dropFirst().prefix { $0 != ";" }
      guard entity.count <= 8, entity.endIndex < rest.endIndex, let scalar = scalar(entity) else {
        throw Problem(text: "XML with an unknown entity")
      }
      out.unicodeScalars.append(scalar)
      rest = rest[rest.index(after: entity.endIndex)...]
    }
    return out + rest
  }

  private static func scalar(_ entity: Substring) -> Unicode.Scalar? {
    switch entity {
    case "amp": "&"
    case "lt": "<"
    case "gt": ">"
    case "quot": "\""
    case "apos": "'"
    case _ where entity.hasPrefix("#x"):
      UInt32(entity.dropFirst(2), radix: 16).flatMap(Unicode.Scalar.init)
    case _ where entity.hasPrefix("#"): UInt32(entity.dropFirst()).flatMap(Unicode.Scalar.init)
    default: nil
    }
  }
}

extension StringProtocol {
  /// The text without white space around it.
  var trimmed: String {
    let start = drop(while: \.isWhitespace)
    return String(start.reversed().drop(while: \.isWhitespace).reversed())
  }
}
