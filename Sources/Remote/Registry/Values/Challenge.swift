/// One way to authenticate that a registry offers in `WWW-Authenticate`: RFC 9110, section 11.6.1.
struct Challenge: Sendable, Equatable {
  /// Lower case.
  let scheme: String
  /// By names in lower case; of those that come twice the first.
  var parameters: [String: String] = [:]

  /// Every challenge of a field's lines, in their order.
  ///
  /// Bytes that are none end their line; what was complete before them stays. Zot writes schemes in lower case
  /// and URLs without quotes, so values without quotes may hold what URLs hold.
  static func parse(_ lines: [String]) -> [Challenge] {
    HeaderScanner.bounded(lines).flatMap { line in
      var scanner = HeaderScanner(line)
      return parse(&scanner)
    }
  }

  private static func parse(_ scanner: inout HeaderScanner) -> [Challenge] {
    var complete: [Challenge] = []
    var current: Challenge?
    scanner.skipCommas()
    while scanner.next != nil {
      var rest = scanner
      guard let word = rest.token() else { return complete }
      let isFollowedByBlanks = rest.skipBlanks()
      if rest.next == UInt8(ascii: "=") {
        guard current != nil, let value = parameter(&scanner) else { return complete }
        if current?.parameters[word.lowercased()] == nil {
          current?.parameters[word.lowercased()] = value
        }
        guard isEndOfMember(&scanner) else { return complete }
        scanner.skipCommas()
      } else {
        if let current { complete.append(current) }
        current = Challenge(scheme: word.lowercased())
        scanner = rest
        if isFollowedByBlanks { skipToken68(&scanner) }
        scanner.skipCommas()
      }
    }
    return complete + (current.map { [$0] } ?? [])
  }

  /// `name = value`, where blanks around the sign are allowed.
  private static func parameter(_ scanner: inout HeaderScanner) -> String? {
    _ = scanner.token()
    scanner.skipBlanks()
    _ = scanner.take("=")
    scanner.skipBlanks()
    if scanner.next == UInt8(ascii: "\"") { return scanner.quotedString() }
    return scanner.token(and: ":/?&=") ?? ""
  }

  /// Credentials as one word, such as Negotiate's, which take the place of parameters.
  private static func skipToken68(_ scanner: inout HeaderScanner) {
    var rest = scanner
    guard rest.token(and: "/") != nil else { return }
    while rest.take("=") {}
    if isEndOfMember(&rest) { scanner = rest }
  }

  private static func isEndOfMember(_ scanner: inout HeaderScanner) -> Bool {
    scanner.skipBlanks()
    return scanner.next == nil || scanner.next == UInt8(ascii: ",")
  }
}

/// A way to authenticate that ociforge has.
enum AuthenticationScheme: Sendable, Equatable {
  /// A token from the service at `realm`, which may be relative to the request's URL.
  case bearer(realm: String, service: String?, scope: String?, error: String?)
  case basic(realm: String?)
}

extension Challenge {
  /// What to answer: Bearer where it is offered, else Basic.
  ///
  /// - Returns: `nil` where neither is offered, or Bearer without saying where tokens are had.
  static func preferred(in challenges: [Challenge]) -> AuthenticationScheme? {
    if let bearer = challenges.first(where: { $0.scheme == "bearer" }) {
      guard let realm = bearer["realm"] else { return nil }
      return .bearer(
        realm: realm, service: bearer["service"], scope: bearer["scope"], error: bearer["error"])
    }
    return challenges.first { $0.scheme == "basic" }.map { .basic(realm: $0["realm"]) }
  }

  /// A parameter that says something.
  private subscript(name: String) -> String? {
    parameters[name].flatMap { $0.isEmpty ? nil : $0 }
  }
}
