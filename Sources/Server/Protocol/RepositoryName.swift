import OCISpec

/// The `<name>` of the distribution-spec's paths: lower-case components between slashes.
struct RepositoryName: Sendable, Hashable, CustomStringConvertible {
  let text: String

  /// `nil` where the text does not match the specification's expression or is longer than clients allow.
  init?(_ text: String) {
    guard text.utf8.count <= Repository.maximumLength, Repository.isPath(text) else { return nil }
    self.text = text
  }

  var description: String { text }
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
