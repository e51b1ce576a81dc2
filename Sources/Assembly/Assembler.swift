import Definition
package import OCILayout
package import OCISpec
package import Reporting
import Workers

/// What an assembly is told besides its definition.
package struct AssemblyOptions: Sendable {
  /// The one time in the image, in seconds since 1970.
  package var epoch: Int64
  package var format: LayerFormat
  /// How many layers are packed at once.
  package var threads: Int

  package init(epoch: Int64, format: LayerFormat = .v1, threads: Int) {
    self.epoch = epoch
    self.format = format
    self.threads = threads
  }
}

/// An image for one platform that lies in a store, the layers of its base apart.
package struct AssembledImage: Sendable {
  /// As its config says: the definition's, with what only the base tells, such as a variant.
  package let platform: Platform
  package let manifest: Document<Manifest>
  package let config: Document<ImageConfig>
  /// The base's, below ``layers``. Assembling does not bring their blobs into the store.
  package let baseLayers: [Descriptor]
  package let layers: [PackedLayer]
}

/// Everything that one run assembled. `root` is what a tag points to: the only manifest, or an index.
package struct AssembledImages: Sendable {
  package let root: Descriptor
  package let images: [AssembledImage]
}

/// Plans → layers, configs, manifests and index in a store. Nothing is tagged.
package struct Assembler: Sendable {
  private let options: AssemblyOptions
  private let store: BlobStore
  private let reporter: Reporter

  /// - Parameter store: where the blobs go: a layout's.
  package init(options: AssemblyOptions, store: BlobStore, reporter: Reporter) {
    self.options = options
    self.store = store
    self.reporter = reporter
  }

  package func assemble(_ plan: AssemblyPlan) async throws -> AssembledImages {
    let layers = try await pack(plan.images)
    let images = try zip(plan.images, layers).map { image, layers in
      try compose(
        ImageComposition(
          image: image.definition, base: image.base, layers: layers, format: options.format,
          epoch: options.epoch), annotations: plan.annotations)
    }
    return AssembledImages(
      root: try root(of: images, annotations: plan.annotations), images: images)
  }

  /// Packs the layers of all platforms side by side; a plan that several platforms share is packed for each,
  /// which gives the same blob.
  private func pack(_ images: [ImagePlan]) async throws -> [[PackedLayer]] {
    let writer = LayerWriter(format: options.format, store: store, reporter: reporter)
    let jobs = images.flatMap { image in
      image.layers.map { layer in
        (layer, images.count > 1 ? "\(image.platform) \(layer.name)" : layer.name)
      }
    }
    var results = await concurrentResults(of: jobs, limit: options.threads) { plan, label in
      try await withBlockingWork { try writer.pack(plan, label: label) }
    }[...]
    return try images.map { image in
      defer { results.removeFirst(image.layers.count) }
      return try results.prefix(image.layers.count).map { try $0.get() }
    }
  }

  private func compose(
    _ image: ImageComposition, annotations: [String: String]
  ) throws -> AssembledImage {
    let config = image.config
    let configDocument = try put(config, config.json, .imageConfig)
    let manifest = image.manifest(config: configDocument.descriptor, annotations: annotations)
    return AssembledImage(
      platform: image.platform, manifest: try put(manifest, manifest.json, .imageManifest),
      config: configDocument, baseLayers: image.baseLayers, layers: image.layers)
  }

  private func root(
    of images: [AssembledImage], annotations: [String: String]
  ) throws -> Descriptor {
    let manifests = images.map { image in
      var descriptor = image.manifest.descriptor
      descriptor.platform = image.platform
      return descriptor
    }
    if manifests.count == 1 { return manifests[0] }
    let sorted = manifests.sorted { a, b in
      guard let a = a.platform, let b = b.platform else { return false }
      return a < b
    }
    let index = ImageIndex(manifests: sorted, annotations: annotations)
    return try put(index, index.json, .imageIndex).descriptor
  }

  private func put<Body: Sendable>(
    _ body: Body, _ json: JSON, _ mediaType: MediaType
  ) throws -> Document<Body> {
    let bytes = CanonicalJSON.encode(json)
    let digest = try store.put(bytes)
    return Document(
      bytes: bytes,
      descriptor: Descriptor(mediaType: mediaType, digest: digest, size: Int64(bytes.count)),
      body: body)
  }
}
