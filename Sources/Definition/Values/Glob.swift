package import Reporting

/// A path pattern of `include` and `exclude`.
///
/// `*` stands for any text without a slash (a leading dot included), `?` for one character, `[a-z]` and
/// `[!a-z]` for one of, and one but, these; `**` between slashes for any number of directories, `\` takes the
/// next character as it is. A pattern without a slash is for names at any depth, one with a slash starts at the
/// tree's root. What matches covers all below it.
package struct Glob: Sendable, Equatable {
  package let pattern: String
  private let parts: [Part]

  private enum Part: Sendable, Equatable {
    /// `**`
    case directories
    case name([Token])
  }

  private enum Token: Sendable, Equatable {
    case byte(UInt8)
    case anyText
    /// One character; a class's bytes are ASCII.
    case one(of: [ClosedRange<UInt8>], isNegated: Bool)
  }

  package init(parsing pattern: String) throws(GlobError) {
    self.pattern = pattern
    var names = pattern.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let isAnchored = names.count > 1
    if isAnchored && names[0].isEmpty { names.removeFirst() }
    guard names.last?.isEmpty == false else { throw GlobError(pattern, .endsInSlash) }
    var parts: [Part] = isAnchored ? [] : [.directories]
    for name in names {
      let bytes = Array(name)
      if bytes.isEmpty || bytes == Array(".".utf8) || bytes == Array("..".utf8) {
        throw GlobError(pattern, .dotComponent)
      }
      parts.append(
        bytes == Array("**".utf8) ? .directories : .name(try Self.tokens(bytes, of: pattern)))
    }
    // `a/**` is what lies below `a`, not `a` itself.
    if parts.last == .directories { parts.append(.name([.anyText])) }
    self.parts = parts
  }

  /// - Parameter path: relative to the tree, without leading or trailing slash.
  package func matches(_ path: [UInt8]) -> Bool {
    var reached = skippingDirectories([0])
    for name in path.split(separator: UInt8(ascii: "/")) {
      var next: Set<Int> = []
      for index in reached {
        switch parts[index] {
        case .directories: next.insert(index)
        case .name(let tokens): if Self.matches(tokens, Array(name)) { next.insert(index + 1) }
        }
      }
      if next.contains(parts.count) { return true }
      reached = skippingDirectories(next)
    }
    return false
  }

  /// `**` may stand for no directory at all.
  private func skippingDirectories(_ indices: Set<Int>) -> Set<Int> {
    var all = indices
    for index in parts.indices where all.contains(index) && parts[index] == .directories {
      all.insert(index + 1)
    }
    return all
  }

  /// On a mismatch the last `*` takes one byte more; earlier ones never need to.
  private static func matches(_ tokens: [Token], _ name: [UInt8]) -> Bool {
    var token = 0, byte = 0
    var retry: (token: Int, byte: Int)?
    while byte < name.count || token < tokens.count {
      if token < tokens.count {
        if tokens[token] == .anyText {
          retry = (token, byte)
          token += 1
          continue
        }
        if byte < name.count, let length = length(of: tokens[token], name[byte...]) {
          token += 1
          byte += length
          continue
        }
      }
      guard let last = retry, last.byte < name.count else { return false }
      retry = (last.token, last.byte + 1)
      token = last.token + 1
      byte = last.byte + 1
    }
    return true
  }

  /// How many bytes of `rest` the token takes; a character of UTF-8 counts as one.
  private static func length(of token: Token, _ rest: ArraySlice<UInt8>) -> Int? {
    guard let first = rest.first else { return nil }
    switch token {
    case .anyText: return nil
    case .byte(let byte): return byte == first ? 1 : nil
    case .one(let ranges, let isNegated):
      guard ranges.contains(where: { $0.contains(first) }) != isNegated else { return nil }
      guard first >= 0xC0 else { return 1 }
      return 1 + rest.dropFirst().prefix(3).prefix { (0x80...0xBF).contains($0) }.count
    }
  }

  private static func tokens(_ name: [UInt8], of pattern: String) throws(GlobError) -> [Token] {
    var tokens: [Token] = []
    var rest = name[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "*"): if tokens.last != .anyText { tokens.append(.anyText) }
      case UInt8(ascii: "?"): tokens.append(.one(of: [], isNegated: true))
      case UInt8(ascii: "["): tokens.append(try set(&rest, of: pattern))
      case UInt8(ascii: "\\"):
        guard let escaped = rest.popFirst() else { throw GlobError(pattern, .endsInBackslash) }
        tokens.append(.byte(escaped))
      default: tokens.append(.byte(byte))
      }
    }
    return tokens
  }

  /// A class after its `[`; `]` is a member where it comes first.
  private static func set(
    _ rest: inout ArraySlice<UInt8>, of pattern: String
  ) throws(GlobError) -> Token {
    let isNegated = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
    if isNegated { rest.removeFirst() }
    var ranges: [ClosedRange<UInt8>] = []
    while let low = rest.popFirst() {
      if low == UInt8(ascii: "]") && !ranges.isEmpty {
        return .one(of: ranges, isNegated: isNegated)
      }
      var high = low
      if rest.count > 1, rest.first == UInt8(ascii: "-"),
        rest.dropFirst().first != UInt8(ascii: "]")
      {
        rest.removeFirst()
        high = rest.removeFirst()
      }
      guard low < 0x80, high < 0x80, low <= high else { throw GlobError(pattern, .badRange) }
      ranges.append(low...high)
    }
    throw GlobError(pattern, .openClass)
  }
}

package struct GlobError: Failure, Equatable {
  package enum Problem: Sendable, Equatable {
    case endsInSlash, dotComponent, endsInBackslash, openClass, badRange
  }

  package let pattern: String
  package let problem: Problem

  init(_ pattern: String, _ problem: Problem) {
    self.pattern = pattern
    self.problem = problem
  }

  package var kind: FailureKind { .data }

  package var description: String {
    switch problem {
    case .endsInSlash:
      "expected a pattern without \"/\" at its end (it covers all below a directory anyway), found \(pattern.quoted)"
    case .dotComponent:
      "expected a pattern without empty, \".\" and \"..\" parts, found \(pattern.quoted)"
    case .endsInBackslash:
      "expected a character after the last \"\\\", found none in \(pattern.quoted)"
    case .openClass: "expected \"]\" after \"[\", found none in \(pattern.quoted)"
    case .badRange:
      "expected ASCII characters in ascending ranges between \"[\" and \"]\", found \(pattern.quoted)"
    }
  }
}
