import Bindings
import OCILayout
import OCISpec
import Synchronization

/// The manifests and indexes that a layout's `index.json` leads to.
///
/// A class, because it remembers what lost its tag while it served: whoever asked what the tag means may still
/// come for the digest. That memory ends with the server; then it is garbage.
final class ManifestCatalogue: Sendable {
  let layout: ImageLayout
  private let untagged = Mutex<[Descriptor]>([])

  init(_ layout: ImageLayout) { self.layout = layout }

  /// The descriptor of a manifest that is here.
  func find(_ reference: ManifestReference, in repository: RepositoryName) throws -> Descriptor? {
    switch reference {
    case .tag(let tag):
      guard let entry = try layout.index().entry(tagged: tag, in: repository),
        try isHere(entry)
      else { return nil }
      return entry
    case .digest(let digest): return try find(digest)
    }
  }

  /// A digest is the same manifest in every repository, as the layout has one store for all.
  func find(_ digest: Digest) throws -> Descriptor? {
    var found: Descriptor?
    try forEach { descriptor in
      if descriptor.digest == digest { found = descriptor }
      return found == nil
    }
    return found
  }

  /// Hands every manifest that is here to `body`, each once, until that says `false`.
  func forEach(_ body: (Descriptor) throws -> Bool) throws {
    var open = try layout.index().manifests + untagged.withLock { $0 }
    open.reverse()
    var seen = Set<Digest>()
    while let descriptor = open.popLast() {
      guard seen.insert(descriptor.digest).inserted, try isHere(descriptor) else { continue }
      guard seen.count <= Self.maximumManifests else {
        throw LayoutError.tooManyEntries(descriptor.digest, limit: Self.maximumManifests)
      }
      guard try body(descriptor) else { return }
      // An index that cannot be read leads nowhere; it is no reason to keep the others back.
      if descriptor.mediaType.isIndex, let index = try? layout.imageIndex(descriptor) {
        open += index.body.manifests.reversed()
      }
    }
  }

  private func isHere(_ descriptor: Descriptor) throws -> Bool {
    try layout.store.size(of: descriptor.digest) != nil
  }

  /// Adds a manifest whose document is in the store, under tags or, without any, by its digest.
  func place(
    _ descriptor: Descriptor, tags: [String], in repository: RepositoryName,
    holding children: [Descriptor]
  ) throws {
    let replaced = try layout.update {
      $0.place(descriptor, tags: tags, in: repository, holding: children)
    }
    remember(replaced)
  }

  /// - Returns: whether there was something to delete.
  func delete(_ reference: ManifestReference, in repository: RepositoryName) throws -> Bool {
    switch reference {
    case .tag(let tag):
      guard let entry = try layout.update({ $0.remove(tag: tag, in: repository) }) else {
        return false
      }
      remember([entry])
      return true
    case .digest(let digest):
      let wasRemembered = untagged.withLock { untagged in
        let before = untagged.count
        untagged.removeAll { $0.digest == digest }
        return untagged.count < before
      }
      return try layout.update { $0.remove(digest, in: repository) } || wasRemembered
    }
  }

  private func remember(_ descriptors: [Descriptor]) {
    untagged.withLock { untagged in
      for var descriptor in descriptors {
        descriptor.annotations = [:]
        untagged.removeAll { $0.digest == descriptor.digest }
        untagged.append(descriptor)
      }
      untagged.removeFirst(max(0, untagged.count - Self.maximumUntagged))
    }
  }

  private static let maximumManifests = 100_000
  private static let maximumUntagged = 1_000
}
