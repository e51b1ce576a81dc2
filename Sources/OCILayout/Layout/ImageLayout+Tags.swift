package import OCISpec
import Reporting
import SystemPackage

/// What a layout calls its images: the annotation `org.opencontainers.image.ref.name` of a descriptor in
/// `index.json`.
extension ImageLayout {
  /// Makes `tag` lead to `descriptor`, and to nothing else. Where it does already, nothing changes.
  ///
  /// - Throws: ``LayoutError/malformedTag``; ``LayoutError/missingBlob`` where the document is not here.
  package func tag(_ descriptor: Descriptor, as tag: String) throws {
    guard Reference.isTag(tag) else { throw LayoutError.malformedTag(tag) }
    guard try store.contains(descriptor) else {
      throw LayoutError.missingBlob(descriptor.digest, layout: path.string)
    }
    var tagged = descriptor
    tagged.annotations[AnnotationKey.refName] = tag
    try update { Self.place(tagged, in: &$0) }
  }

  /// Makes a tag lead to the image that another one, or a digest, means at that moment, whatever other
  /// processes tag. The name that containerd took an entry by is not the new one's.
  ///
  /// - Returns: the entry in `index.json`.
  /// - Throws: what ``resolve(tag:digest:)`` and ``tag(_:as:)`` throw.
  @discardableResult
  package func retag(tag: String?, digest: Digest?, as new: String) throws -> Descriptor {
    guard Reference.isTag(new) else { throw LayoutError.malformedTag(new) }
    return try update { index in
      var tagged = try resolve(tag: tag, digest: digest, in: index)
      guard try store.contains(tagged) else {
        throw LayoutError.missingBlob(tagged.digest, layout: path.string)
      }
      tagged.annotations[AnnotationKey.containerdImageName] = nil
      tagged.annotations[AnnotationKey.refName] = new
      Self.place(tagged, in: &index)
      return tagged
    }
  }

  /// Puts an entry where its name is, else at the end; its name is then nowhere else.
  private static func place(_ tagged: Descriptor, in index: inout ImageIndex) {
    let places = index.manifests.indices.filter {
      index.manifests[$0].refName == tagged.refName
    }
    guard let first = places.first else {
      index.manifests.append(tagged)
      return
    }
    if places.count == 1 && index.manifests[first].digest == tagged.digest { return }
    index.manifests[first] = tagged
    for place in places.dropFirst().reversed() { index.manifests.remove(at: place) }
  }

  /// Takes the tag away; the blobs stay until garbage is collected.
  ///
  /// - Returns: what the tag led to.
  /// - Throws: ``LayoutError/noSuchTag``, which lists the ones there are; ``LayoutError/ambiguousTag`` where
  ///   another tool gave the name to several images.
  @discardableResult
  package func untag(_ tag: String) throws -> Descriptor {
    try update { index in
      guard index.manifests.contains(where: { $0.refName == tag }) else {
        throw LayoutError.noSuchTag(tag, layout: path.string, tags: names(in: index))
      }
      let untagged = try resolve(tag: tag, in: index)
      index.manifests.removeAll { $0.refName == tag }
      return untagged
    }
  }

  /// Every name with what it leads to, in the order of `index.json`. Other tools write full references.
  package func tags() throws -> [(name: String, descriptor: Descriptor)] {
    try index().manifests.compactMap { descriptor in
      descriptor.refName.map { ($0, descriptor) }
    }
  }

  /// The image that a reference means: the one with the tag; without one the only image, else the one tagged
  /// `latest`. A digest may name an entry of `index.json` or any document below it.
  package func resolve(tag: String? = nil, digest: Digest? = nil) throws -> Descriptor {
    try resolve(tag: tag, digest: digest, in: index())
  }

  private func resolve(
    tag: String?, digest: Digest?, in index: ImageIndex
  ) throws -> Descriptor {
    guard let digest else { return try resolve(tag: tag, in: index) }
    let roots = try tag.map { [try resolve(tag: $0, in: index)] } ?? index.manifests
    if let root = roots.first(where: { $0.digest == digest }) { return root }
    for root in roots where root.mediaType.isIndex {
      if let found = try descendants(of: root).first(where: { $0.digest == digest }) {
        return found
      }
    }
    throw LayoutError.noSuchDigest(digest, reference: "oci:\(path)\(tag.map { ":\($0)" } ?? "")")
  }

  private func resolve(tag: String?, in index: ImageIndex) throws -> Descriptor {
    if tag == nil, let first = index.manifests.first,
      index.manifests.allSatisfy({ $0.digest == first.digest })
    {
      return first
    }
    let wanted = tag ?? "latest"
    let exact = index.manifests.filter { $0.refName == wanted }
    let found = exact.isEmpty ? index.manifests.filter { $0.refersTo(tag: wanted) } : exact
    if let first = found.first, found.allSatisfy({ $0.digest == first.digest }) { return first }
    if found.isEmpty && (tag != nil || index.manifests.isEmpty) {
      throw LayoutError.noSuchTag(wanted, layout: path.string, tags: names(in: index))
    }
    let choices = (found.isEmpty ? index.manifests : found).map {
      found.isEmpty ? $0.refName ?? $0.digest.description : $0.digest.description
    }
    throw LayoutError.ambiguousTag(tag, layout: path.string, choices: choices)
  }

  private func names(in index: ImageIndex) -> [String] { index.manifests.compactMap(\.refName) }
}

extension Descriptor {
  package var refName: String? { annotations[AnnotationKey.refName] }

  /// Whether the name is a full reference, as containerd writes it, with this tag.
  fileprivate func refersTo(tag: String) -> Bool {
    guard let last = refName?.split(separator: "/").last, let colon = last.lastIndex(of: ":") else {
      return false
    }
    return last[last.index(after: colon)...] == tag
  }
}
