/// An image manifest: image-spec, manifest.md. Docker's schema 2 reads as the same.
package struct Manifest: Sendable, Hashable {
  package var mediaType: MediaType
  package var artifactType: String?
  package var config: Descriptor
  /// From the base upwards.
  package var layers: [Descriptor]
  package var subject: Descriptor?
  package var annotations: [String: String]
  /// Members that this type does not know, kept as they came.
  package var unknown = JSONObject()

  package init(
    config: Descriptor, layers: [Descriptor], annotations: [String: String] = [:],
    mediaType: MediaType = .imageManifest
  ) {
    self.mediaType = mediaType
    self.config = config
    self.layers = layers
    self.annotations = annotations
  }

  package init(json: JSON) throws(DocumentError) {
    let json = Located(json)
    mediaType = MediaType(
      rawValue: try json.optional("mediaType")?.string() ?? MediaType.imageManifest.rawValue)
    artifactType = try json.optional("artifactType")?.string()
    config = try Descriptor(json.required("config"))
    layers = []
    for layer in try json.optional("layers")?.elements() ?? [] {
      layers.append(try Descriptor(layer))
    }
    subject = try json.optional("subject").map(Descriptor.init)
    annotations = try json.optional("annotations")?.stringMap() ?? [:]
    unknown = try json.object().removing(Self.knownKeys)
  }

  package var json: JSON {
    .object(
      [
        "schemaVersion": .integer(2),
        "mediaType": .string(mediaType.rawValue),
        "artifactType": artifactType.map(JSON.string),
        "config": config.json,
        "layers": .array(layers.map(\.json)),
        "subject": subject?.json,
        "annotations": .map(annotations),
      ] + unknown)
  }

  private static let knownKeys: Set<String> = [
    "schemaVersion", "mediaType", "artifactType", "config", "layers", "subject", "annotations",
  ]
}
