import Bindings
package import Definition
package import OCILayout
package import OCISpec
package import Reporting
package import SystemPackage
import Workers

/// Turns what a definition says after `from` into verified bases: finds the image of each platform, and what
/// its layers hold. The blob of a layer is needed only where its listing is not in the cache.
package struct BaseResolver: Sendable {
  /// Assembles another definition for some platforms, with its own parameters.
  ///
  /// - Parameters:
  ///   - definition: its folder or its file.
  ///   - chain: for the ``BaseResolver`` of that definition: those that wait for it.
  package typealias Assembling =
    @Sendable (_ definition: FilePath, _ platforms: [Platform], _ chain: [FilePath]) async throws
    -> (ImageLayout, Descriptor)

  static let concurrencyLimit = 4

  private let blobs: BaseBlobs
  private let assemble: Assembling
  private let chain: [FilePath]

  /// - Parameter chain: the files of the definitions that this one is assembled for; none where it is for itself.
  package init(
    registry: RegistryBases, assemble: @escaping Assembling, chain: [FilePath] = [],
    cache: BlobStore, offline: Bool, reporter: Reporter
  ) {
    blobs = BaseBlobs(cache: cache, registry: registry, isOffline: offline, reporter: reporter)
    self.assemble = assemble
    self.chain = chain
  }

  /// Each distinct base is opened once, each distinct layer listed once, at most four at a time.
  ///
  /// - Throws: `FailureList` with everything that is wrong, each with its place in the definition.
  package func resolve(_ definition: ImageDefinition) async throws -> ResolvedBases {
    var failures: [ContextualFailure] = []
    var opened: [OpenedBase] = []
    var chosen: [ChosenBase] = []
    for use in definition.baseUses {
      do {
        let base = try await open(use, of: definition)
        opened.append(base)
        let images = try await BaseImages(base.root, blobs.documents(of: base.source))
        for image in use.images {
          do {
            let choice = try await images.image(for: image.platform)
            chosen.append(ChosenBase(use: use, image: image, base: base, choice: choice))
          } catch { failures.append(use.failure(error)) }
        }
      } catch { failures.append(use.failure(error)) }
      try Task.checkCancellation()
    }
    try Self.check(failures)

    let listings = BaseListings(blobs: blobs)
    let known = await listings.list(chosen)
    try Task.checkCancellation()
    var images: [Platform: ResolvedBase] = [:]
    var sources: [Digest: BaseLayerSource] = [:]
    for base in chosen {
      do {
        let layers = try listings.layers(of: base, known)
        for layer in layers where sources[layer.descriptor.digest] == nil {
          sources[layer.descriptor.digest] = base.base.source
        }
        images[base.image.platform] = ResolvedBase(
          name: base.base.name, digest: base.choice.digest, config: base.choice.config,
          layers: layers,
          files: base.image.accounts == nil
            ? [:] : try await blobs.accountFiles(of: layers, from: base.base.source))
      } catch { failures.append(base.use.failure(error)) }
    }
    try Task.checkCancellation()
    try Self.check(failures)
    return ResolvedBases(
      images: images, sources: sources, blobs: blobs, unpacked: opened.compactMap(\.unpacked))
  }

  private static func check(_ failures: [ContextualFailure]) throws {
    guard failures.isEmpty else { throw FailureList(failures.uniqued(by: \.description)) }
  }

  private func open(_ use: BaseUse, of definition: ImageDefinition) async throws -> OpenedBase {
    switch use.source {
    case .registry(let reference, let written):
      try await withBlockingWork { try refuseLayout(written, in: definition.directory) }
      if let advice = reference.advice { blobs.reporter.warn("\(use.location): from: \(advice)") }
      return try await OpenedBase(reference, blobs)
    case .local(let text):
      return try await withBlockingWork {
        try OpenedBase(local: text, scratch: blobs.cache.root)
      }
    case .definition(let path):
      let chain = try await withBlockingWork { try self.chain(to: path, from: definition) }
      let (layout, root) = try await assemble(path, use.images.map(\.platform), chain)
      return OpenedBase(layout, root)
    }
  }

  /// Nobody means a registry who wrote the name of a layout that lies here: product.md, "Everywhere".
  private func refuseLayout(_ text: String, in directory: FilePath) throws {
    let places = [text[...], text.lastIndex(of: ":").map { text[..<$0] }].compactMap { $0 }
    for place in places
    where (try? ImageLayout.open(directory.pushing(FilePath(String(place))))) != nil {
      throw ImageReferenceError.didYouMean(text, suggestions: ["oci:\(text)"])
    }
  }

  /// The definitions that wait for the one at `path`, this one last.
  private func chain(
    to path: FilePath, from definition: ImageDefinition
  ) throws -> [FilePath] {
    let isFolder = try FileSystem.status(of: path)?.kind == .directory
    let file = isFolder ? path.appending(ImageDefinition.fileName) : path
    guard try FileSystem.status(of: file) != nil else {
      if isFolder, (try? ImageLayout.open(path)) != nil { throw BaseError.layoutFolder(path) }
      throw DefinitionError.missing(file)
    }
    let next = try FileSystem.absolute(file)
    let chain = try self.chain + [FileSystem.absolute(definition.file)]
    if let start = chain.firstIndex(of: next) {
      throw BaseError.cycle(Array(chain[start...]) + [next])
    }
    return chain
  }
}
