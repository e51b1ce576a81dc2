import OCILayout
import OCISpec

/// The `<name>` of the distribution-spec's paths: lower-case components between slashes.
struct RepositoryName: Sendable, Hashable, CustomStringConvertible {
  let text: String

  /// `nil` where the text does not match the specification's expression or is longer than clients allow.
  init?(_ text: String) {
    guard text.utf8.count <= Self.maximumByteCount,
      text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        .allSatisfy({ Self.isComponent(Array($0)) })
    else { return nil }
    self.text = text
  }

  var description: String { text }

  /// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
  private static func isComponent(_ bytes: [UInt8]) -> Bool {
    guard let first = bytes.first, let last = bytes.last, isAlphanumeric(first),
      isAlphanumeric(last)
    else { return false }
    return bytes.split(whereSeparator: isAlphanumeric).allSatisfy { separator in
      switch Array(separator) {
      case Array(".".utf8), Array("_".utf8), Array("__".utf8): true
      default: separator.allSatisfy { $0 == UInt8(ascii: "-") }
      }
    }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
  }

  private static let maximumByteCount = 255
}

/// The `<tag-or-digest>` of the distribution-spec's paths.
enum ManifestReference: Sendable, Hashable {
  case tag(String)
  case digest(Digest)

  init(_ text: String) throws(RegistryError) {
    if Reference.isTag(text) {
      self = .tag(text)
    } else if text.utf8.contains(UInt8(ascii: ":")) {
      self = .digest(try Digest(requested: text))
    } else {
      throw .tagInvalid(text)
    }
  }
}

extension Digest {
  /// A digest that a client names.
  init(requested text: String) throws(RegistryError) {
    do { try self.init(parsing: text) } catch { throw .digestInvalid(error.description) }
  }
}
