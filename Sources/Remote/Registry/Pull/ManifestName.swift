package import OCISpec

/// What a manifest is asked for by.
package enum ManifestName: Sendable, Hashable, CustomStringConvertible {
  case tag(String)
  case digest(Digest)

  /// The digest decides where there are both.
  package init(_ reference: Reference) {
    self = reference.digest.map(Self.digest) ?? .tag(reference.tag ?? Reference.latest)
  }

  /// As the last part of a URL's path: tags and digests have no character that is special there.
  package var description: String {
    switch self {
    case .tag(let tag): tag
    case .digest(let digest): digest.description
    }
  }

  var digest: Digest? { if case .digest(let digest) = self { digest } else { nil } }
}
