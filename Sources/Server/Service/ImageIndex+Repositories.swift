import OCILayout
import OCISpec

/// A layout's `index.json` as the repositories of a registry.
///
/// An entry named `REPOSITORY:TAG` belongs to that repository. One whose name is a plain tag, as `assemble -t`
/// leaves it, stands in every repository, behind the repository's own tag of that name. An entry without a
/// name is a manifest that was pushed by its digest only.
extension ImageIndex {
  func entry(tagged tag: String, in repository: RepositoryName) -> Descriptor? {
    manifests.first { $0.refName == repository.entryName(tag) }
      ?? manifests.first { $0.refName == tag }
  }

  /// The tags that a repository shows, in the order of their bytes.
  func tags(in repository: RepositoryName) -> [String] {
    let prefix = repository.entryName("")
    let tags = manifests.compactMap(\.refName).compactMap { name in
      name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
    }
    return Set(tags.filter(Reference.isTag)).sorted()
  }

  /// The repositories that have tags of their own, in the order of their bytes.
  var repositories: [String] {
    let names = manifests.compactMap(\.refName).compactMap { name -> String? in
      guard let colon = name.lastIndex(of: ":"),
        Reference.isTag(String(name[name.index(after: colon)...])),
        let repository = RepositoryName(String(name[..<colon]))
      else { return nil }
      return repository.text
    }
    return Set(names).sorted()
  }

  /// Makes tags of a repository lead to a manifest; without tags it gets an entry without a name, unless it has
  /// an entry already. What it holds needs no such entry of its own any more.
  ///
  /// - Returns: what the tags led to before.
  mutating func place(
    _ descriptor: Descriptor, tags: [String], in repository: RepositoryName,
    holding children: [Descriptor]
  ) -> [Descriptor] {
    var held = Set(children.map(\.digest))
    if !tags.isEmpty { held.insert(descriptor.digest) }
    manifests.removeAll { $0.isBare && held.contains($0.digest) }
    if tags.isEmpty {
      if !manifests.contains(where: { $0.digest == descriptor.digest }) {
        manifests.append(descriptor)
      }
      return []
    }
    var replaced: [Descriptor] = []
    for tag in tags {
      var tagged = descriptor
      tagged.annotations[AnnotationKey.refName] = repository.entryName(tag)
      let places = manifests.indices.filter { manifests[$0].refName == tagged.refName }
      replaced += places.map { manifests[$0] }.filter { $0.digest != descriptor.digest }
      for place in places.dropFirst().reversed() { manifests.remove(at: place) }
      if let place = places.first { manifests[place] = tagged } else { manifests.append(tagged) }
    }
    return replaced
  }

  /// Takes a tag away from a repository: its own, else the plain one.
  ///
  /// - Returns: what it led to; `nil` where there is no such tag.
  mutating func remove(tag: String, in repository: RepositoryName) -> Descriptor? {
    guard let entry = entry(tagged: tag, in: repository) else { return nil }
    manifests.removeAll { $0.refName == entry.refName }
    return entry
  }

  /// Takes every entry of a manifest away that the repository shows or that has no name.
  ///
  /// - Returns: whether there was one.
  mutating func remove(_ digest: Digest, in repository: RepositoryName) -> Bool {
    let before = manifests.count
    manifests.removeAll { entry in
      guard entry.digest == digest else { return false }
      guard let name = entry.refName else { return true }
      return Reference.isTag(name) || name.hasPrefix(repository.entryName(""))
    }
    return manifests.count < before
  }
}

extension RepositoryName {
  /// What an entry of `index.json` is called.
  fileprivate func entryName(_ tag: String) -> String { "\(text):\(tag)" }
}

extension Descriptor {
  /// Whether an entry of `index.json` says nothing but that its manifest is here.
  fileprivate var isBare: Bool {
    annotations.isEmpty && platform == nil && artifactType == nil && unknown.isEmpty
  }
}
