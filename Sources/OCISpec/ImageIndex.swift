/// An image index: image-spec, image-index.md. Also `index.json` of a layout, and Docker's manifest list.
package struct ImageIndex: Sendable, Hashable {
  package var mediaType: MediaType
  package var artifactType: String?
  package var manifests: [Descriptor]
  package var annotations: [String: String]

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
    annotations = try json.optional("annotations")?.stringMap() ?? [:]
  }

  package var json: JSON {
    .object([
      "schemaVersion": .integer(2),
      "mediaType": .string(mediaType.rawValue),
      "artifactType": artifactType.map(JSON.string),
      "manifests": .array(manifests.map(\.json)),
      "annotations": .map(annotations),
    ])
  }
}
