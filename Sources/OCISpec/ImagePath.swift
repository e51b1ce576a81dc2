package import Reporting

/// A path inside an image as its raw bytes, relative to the root, without `.`, `..` or empty components;
/// rule E1 of the layer format. Equality and order are by bytes, never by Swift's `String` rules.
package struct ImagePath: Sendable, Hashable, CustomStringConvertible {
  /// The path without leading slash: `etc/ssl`; empty for the root.
  package let bytes: [UInt8]

  /// The root directory itself.
  package static let root = ImagePath(checked: [])

  /// For bytes that keep the rules above.
  private init(checked bytes: [UInt8]) { self.bytes = bytes }

  /// Parses the absolute form that definitions use: it starts with one `/`.
  package init(absolute bytes: [UInt8]) throws(ImagePathError) {
    guard bytes.first == UInt8(ascii: "/") else { throw ImagePathError(bytes, .notAbsolute) }
    try self.init(relative: Array(bytes.dropFirst()), of: bytes)
  }

  package init(absolute text: String) throws(ImagePathError) {
    try self.init(absolute: Array(text.utf8))
  }

  /// Parses a path as archives spell it: leading `./` is dropped, a leading `/` or nothing at all is refused,
  /// one trailing `/` is allowed.
  package init(archived bytes: [UInt8]) throws(ImagePathError) {
    var rest = bytes[...]
    guard !rest.isEmpty else { throw ImagePathError(bytes, .emptyComponent) }
    guard rest.first != Self.slash else { throw ImagePathError(bytes, .absolute) }
    while rest.count > 1 && rest[rest.startIndex] == Self.dot
      && rest[rest.startIndex + 1] == Self.slash
    { rest = rest.dropFirst(2) }
    if rest.count == 1 && rest.first == Self.dot { rest = [] }
    if rest.last == Self.slash { rest = rest.dropLast() }
    try self.init(relative: Array(rest), of: bytes)
  }

  private init(
    relative bytes: [UInt8], of whole: [UInt8]
  ) throws(ImagePathError) {
    guard !bytes.isEmpty else {
      self = .root
      return
    }
    // Layers have names by the hundred thousand, so the parts are not copied.
    var start = 0
    while start <= bytes.count {
      let end = bytes[start...].firstIndex(of: Self.slash) ?? bytes.count
      try Self.check(component: bytes[start..<end], of: whole)
      start = end + 1
    }
    guard bytes.count <= Self.maximumByteCount else { throw ImagePathError(whole, .tooLong) }
    self.bytes = bytes
  }

  private static let slash = UInt8(ascii: "/")
  private static let dot = UInt8(ascii: ".")
  private static let maximumByteCount = 4096

  private static func check(
    component: ArraySlice<UInt8>, of whole: [UInt8]
  ) throws(ImagePathError) {
    if component.isEmpty { throw ImagePathError(whole, .emptyComponent) }
    if component.count <= 2 && component.allSatisfy({ $0 == dot }) {
      throw ImagePathError(whole, .dotComponent)
    }
    if component.contains(0) { throw ImagePathError(whole, .nul) }
    if component.count > 255 { throw ImagePathError(whole, .longComponent) }
  }

  package var components: [[UInt8]] { bytes.split(separator: Self.slash).map(Array.init) }
  package var isRoot: Bool { bytes.isEmpty }
  package var name: [UInt8] { Array(bytes[nameStart(before: bytes.count)...]) }

  package var parent: ImagePath? {
    isRoot ? nil : ImagePath(checked: Array(bytes[..<max(0, nameStart(before: bytes.count) - 1)]))
  }

  /// Where the component begins that holds the byte at `end` or ends there.
  private func nameStart(before end: Int) -> Int {
    bytes[..<end].lastIndex(of: Self.slash).map { $0 + 1 } ?? 0
  }

  /// The path of `name` in this directory.
  package func appending(component name: [UInt8]) throws(ImagePathError) -> ImagePath {
    guard !name.contains(Self.slash) else { throw ImagePathError(name, .slash) }
    try Self.check(component: name[...], of: name)
    let path = ImagePath(checked: bytes + (isRoot ? [] : [Self.slash]) + name)
    guard path.bytes.count <= Self.maximumByteCount else {
      throw ImagePathError(path.bytes, .tooLong)
    }
    return path
  }

  package func appending(_ other: ImagePath) -> ImagePath {
    isRoot
      ? other : other.isRoot ? self : ImagePath(checked: bytes + [Self.slash] + other.bytes)
  }

  /// Whether this is `other` or lies below it.
  package func isWithin(_ other: ImagePath) -> Bool {
    other.isRoot
      || bytes.starts(with: other.bytes)
        && (bytes.count == other.bytes.count || bytes[other.bytes.count] == Self.slash)
  }

  /// The absolute form, `/etc/ssl`, with bytes that are not UTF-8 or not printable as `\xHH`.
  package var description: String { "/" + Self.escaped(bytes) }

  package static func escaped(_ bytes: [UInt8]) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return text.printableInFull }
    return bytes.map { byte in
      (0x21...0x7E).contains(byte)
        ? String(Unicode.Scalar(byte))
        : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}

/// Layer format rule E2: a directory before what it holds, siblings by the unsigned bytes of their names,
/// whiteouts before the rest.
extension ImagePath: Comparable {
  package static let whiteoutPrefix = Array(".wh.".utf8)

  package static func < (a: Self, b: Self) -> Bool {
    let left = a.bytes, right = b.bytes
    var at = 0
    while at < left.count && at < right.count && left[at] == right[at] { at += 1 }
    guard at < left.count || at < right.count else { return false }
    if left.isEmpty || right.isEmpty { return left.isEmpty }
    // The first component in which the two differ decides.
    let leftIsWhiteout = left[a.nameStart(before: at)...].starts(with: whiteoutPrefix)
    let rightIsWhiteout = right[b.nameStart(before: at)...].starts(with: whiteoutPrefix)
    if leftIsWhiteout != rightIsWhiteout { return leftIsWhiteout }
    if at == left.count || at == right.count { return at == left.count }
    if left[at] == slash || right[at] == slash { return left[at] == slash }
    return left[at] < right[at]
  }

  /// Whether the last component is reserved for whiteouts.
  package var isWhiteout: Bool { name.starts(with: Self.whiteoutPrefix) }
}

package struct ImagePathError: Failure, Equatable {
  package enum Problem: Sendable, Equatable {
    case notAbsolute, absolute, emptyComponent, dotComponent, slash, nul, longComponent,
      tooLong
  }

  package let path: String
  package let problem: Problem

  init(_ bytes: [UInt8], _ problem: Problem) {
    self.path = ImagePath.escaped(bytes)
    self.problem = problem
  }

  package var kind: FailureKind { .data }

  package var description: String {
    switch problem {
    case .notAbsolute: "expected a path that starts with \"/\", got \"\(path)\""
    case .absolute: "expected a relative path, got \"\(path)\""
    case .emptyComponent:
      "expected a path without empty parts between slashes, got \"\(path)\""
    case .dotComponent: "expected a path without \".\" and \"..\" parts, got \"\(path)\""
    case .slash: "name in an image: expected no \"/\" in it, got \"\(path)\""
    case .nul: "expected a path without NUL bytes, got \"\(path)\""
    case .longComponent: "expected a path with parts of at most 255 bytes, got \"\(path)\""
    case .tooLong: "expected a path of at most 4096 bytes, got \"\(path)\""
    }
  }
}
