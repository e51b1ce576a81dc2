import Reporting

/// An image in a registry: distribution-spec, "Pulling manifests", in the grammar of
/// https://github.com/distribution/reference; registry.md, A.
///
/// With a tag and a digest the digest decides what is pulled.
package struct Reference: Sendable, Hashable, CustomStringConvertible {
  package var repository: Repository
  package var tag: String?
  package var digest: Digest?

  package init(repository: Repository, tag: String? = nil, digest: Digest? = nil) {
    self.repository = repository
    self.tag = tag
    self.digest = digest
  }

  /// The tag that is meant where there is neither tag nor digest.
  package static let latest = "latest"

  package var description: String {
    "\(repository)" + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
  }

  /// What is worth saying about a reference that is legal and may still not be what was meant, or not work
  /// everywhere.
  package var advice: String? {
    let name = "\(repository)"
    if name.utf8.count > Repository.maximumLength {
      return
        "image reference \(name.quoted) is longer than \(Repository.maximumLength) characters: many clients refuse that"
    }
    let prefix = "library/"
    if repository.registry == .dockerHub, repository.path.hasPrefix(prefix) {
      let image = repository.path.dropFirst(prefix.count)
      if image.contains(".") {
        return
          "image reference \(name.quoted) is an image on Docker Hub that is named like a registry; for one in that registry write \("\(image)/NAME".quoted)"
      }
    }
    return nil
  }

  /// Whether this is a tag as the distribution-spec has it.
  package static func isTag(_ text: String) -> Bool {
    let bytes = text.utf8
    guard let first = bytes.first, bytes.count <= 128, isWord(first) else { return false }
    return bytes.allSatisfy { isWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
    default: false
    }
  }
}
