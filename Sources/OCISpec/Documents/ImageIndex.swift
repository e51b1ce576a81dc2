/// An image index: image-spec, image-index.md. Also `index.json` of a layout, and Docker's manifest list.
package struct ImageIndex: Sendable, Hashable {
  package var mediaType: MediaType
  package var artifactType: String?
  package var manifests: [Descriptor]
  package var subject: Descriptor?
  package var annotations: [String: String]
  /// Members that this type does not know, kept as they came.
  package var unknown = JSONObject()

  package init(
    manifests: [Descriptor], annotations: [String: String] = [:], mediaType: MediaType = .imageIndex
  ) {
    self.mediaType = mediaType
    self.manifests = manifests
    self.annotations = annotations
  }

  package init(json: JSON) throws(DocumentError) {
    let json = Located(json)
    mediaType = MediaType(
      rawValue: try json.optional("mediaType")?.string() ?? MediaType.imageIndex.rawValue)
    artifactType = try json.optional("artifactType")?.string()
    manifests = []
    for manifest in try json.optional("manifests")?.elements() ?? [] {
      manifests.append(try Descriptor(manifest))
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
        "manifests": .array(manifests.map(\.json)),
        "subject": subject?.json,
        "annotations": .map(annotations),
      ] + unknown)
  }

  private static let knownKeys: Set<String> = [
    "schemaVersion", "mediaType", "artifactType", "manifests", "subject", "annotations",
  ]
}
