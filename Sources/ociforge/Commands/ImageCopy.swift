import Bindings
import OCILayout
import OCISpec
import Remote
import Reporting
import SystemPackage

/// An image on its way from anywhere to anywhere. Documents and blobs keep their bytes.
struct ImageCopy {
  let access: RegistryAccess
  let creation: RepositoryCreation?
  let reporter: Reporter

  /// - Returns: what arrived: the source's root, or its manifest for `platform`.
  func copy(
    _ source: ImageReference, to destinations: [ImageReference], platform: Platform?
  ) async throws -> Descriptor {
    if case .registry(let reference) = source, platform == nil, destinations.count == 1,
      case .layout(let path, let tag, nil) = destinations[0]
    {
      return try await pull(reference, into: path, tag: tag ?? reference.tag ?? "latest")
    }
    let image = try await OpenedImage.open(source, access: access, reporter: reporter)
    let takesOne = destinations.contains { if case .dockerArchive = $0 { true } else { false } }
    let root =
      try platform != nil || takesOne ? image.manifest(for: platform).descriptor : image.root
    try check(root, isWhat: destinations)
    let references = destinations.compactMap { destination -> Reference? in
      if case .registry(let reference) = destination { reference } else { nil }
    }
    for (repository, references) in references.byRepository() {
      try await push(root, of: image, to: repository, tags: references.compactMap(\.tag))
    }
    for destination in destinations { try await write(root, of: image, to: destination) }
    return root
  }

  /// Straight into the layout: nothing is stored twice. No layout is made for an image that is not to be had.
  private func pull(
    _ reference: Reference, into path: FilePath, tag: String
  ) async throws -> Descriptor {
    let client = access.registries.repository(reference.repository)
    let fetched = try await client.manifest(of: reference)
    let layout = try ImageLayout.create(path)
    return try await layout.withWriteSession {
      let puller = ImagePuller(from: client, into: layout, reporter: reporter)
      let root = try await puller.documents(below: fetched)
      try await puller.layers(of: root)
      try layout.tag(root, as: tag)
      return root
    }
  }

  private func push(
    _ root: Descriptor, of image: OpenedImage, to repository: Repository, tags: [String]
  ) async throws {
    try await creation?.ensure(repository, access, reporter)
    let origin = image.repository
    let isNeighbour = origin.map { $0.registry.matches(repository.registry) } ?? false
    _ = try await ImagePusher(
      to: access.registries.repository(repository), from: image.layout,
      mountFrom: isNeighbour ? [origin?.path].compactMap { $0 } : [],
      obtain: { try await image.obtain($0) }, reporter: reporter
    ).push(root, tags: tags)
  }

  private func write(
    _ root: Descriptor, of image: OpenedImage, to destination: ImageReference
  ) async throws {
    switch destination {
    case .registry: return
    case .layout(let path, let tag, _):
      let layout = try ImageLayout.create(path)
      try await layout.withWriteSession {
        try await image.obtainAll(of: root)
        try layout.adopt(root, from: image.layout)
        try layout.tag(root, as: tag ?? image.tag ?? "latest")
      }
    case .ociArchive(let path, let tag):
      try await image.obtainAll(of: root)
      try withArchiveOutput(path.string) { sink in
        try OCIArchive.write(
          root, tag: tag ?? image.tag ?? "latest", from: image.layout, epoch: 0, to: sink)
      }
    case .dockerArchive(let path, let name):
      try await image.obtainAll(of: root)
      try withArchiveOutput(path.string) { sink in
        try DockerArchive.write(
          root, names: [name ?? image.name].compactMap { $0 }, from: image.layout, epoch: 0,
          to: sink)
      }
    }
  }

  /// A destination that says a digest is wrong, or right, before anything is sent.
  private func check(_ root: Descriptor, isWhat destinations: [ImageReference]) throws {
    for destination in destinations {
      let digest: Digest? =
        switch destination {
        case .registry(let reference): reference.digest
        case .layout(_, _, let digest): digest
        default: nil
        }
      if let digest, digest != root.digest {
        throw UsageError.otherDigest(destination.description, found: root.digest)
      }
    }
  }
}

extension [Reference] {
  /// In the order in which the repositories come first.
  func byRepository() -> [(repository: Repository, references: [Reference])] {
    var groups: [(repository: Repository, references: [Reference])] = []
    for reference in self {
      if let index = groups.firstIndex(where: { $0.repository == reference.repository }) {
        groups[index].references.append(reference)
      } else {
        groups.append((reference.repository, [reference]))
      }
    }
    return groups
  }
}
