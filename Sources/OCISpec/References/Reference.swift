/// An image in a registry: distribution-spec, "Pulling manifests", in the grammar of
/// https://github.com/distribution/reference; registry.md, A.
///
/// Without a tag and without a digest it has the tag `latest`. With both the digest decides what is pulled.
package struct Reference: Sendable, Hashable, CustomStringConvertible {
  package var repository: Repository
  package var tag: String?
  package var digest: Digest?

  package init(repository: Repository, tag: String? = nil, digest: Digest? = nil) {
    self.repository = repository
    self.tag = tag
    self.digest = digest
  }

  package var description: String {
    "\(repository)" + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
  }
}
