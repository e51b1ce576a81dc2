/// The `Link` field, by which a registry's lists continue: RFC 8288, section 3.
enum LinkHeader {
  /// The target of the first link to the next page, as it was written; `nil` where there is none.
  static func next(in lines: [String]) -> String? {
    for line in HeaderScanner.bounded(lines) {
      var scanner = HeaderScanner(line)
      scanner.skipCommas()
      while let link = link(&scanner) {
        if link.relations.contains("next") { return link.target }
        scanner.skipCommas()
      }
    }
    return nil
  }

  /// - Returns: `nil` at the end and where what follows is no link.
  private static func link(
    _ scanner: inout HeaderScanner
  ) -> (target: String, relations: [String])? {
    guard scanner.take("<"), let target = scanner.text(before: ">"), scanner.take(">") else {
      return nil
    }
    var relations: [String]?
    scanner.skipBlanks()
    while scanner.take(";") {
      scanner.skipBlanks()
      guard let name = scanner.token() else { continue }
      scanner.skipBlanks()
      var value = ""
      if scanner.take("=") {
        scanner.skipBlanks()
        if scanner.next == UInt8(ascii: "\"") {
          guard let text = scanner.quotedString() else { return nil }
          value = text
        } else {
          value = scanner.token(and: ":/?&=") ?? ""
        }
        scanner.skipBlanks()
      }
      // The first says it: RFC 8288, section 3.3.
      if name.lowercased() == "rel" && relations == nil {
        relations = value.lowercased().split(separator: " ").map(String.init)
      }
    }
    guard scanner.next == nil || scanner.next == UInt8(ascii: ",") else { return nil }
    return (target, relations ?? [])
  }
}
