/// A typed, sized pointer to content: image-spec, descriptor.md. The argument of every fetch and put.
package struct Descriptor: Sendable, Hashable {
  package var mediaType: MediaType
  package var digest: Digest
  /// In bytes.
  package var size: Int64
  package var platform: Platform?
  /// Members of `platform` that ``Platform`` does not know, such as `features`. Not in there, where they would
  /// make two platforms of one.
  package var platformUnknown = JSONObject()
  package var annotations: [String: String]
  package var artifactType: String?
  /// Members that this type does not know, kept as they came: `urls`, `data`, …
  package var unknown = JSONObject()

  package init(
    mediaType: MediaType, digest: Digest, size: Int64, platform: Platform? = nil,
    annotations: [String: String] = [:], artifactType: String? = nil
  ) {
    self.mediaType = mediaType
    self.digest = digest
    self.size = size
    self.platform = platform
    self.annotations = annotations
    self.artifactType = artifactType
  }
}

/// A received or authored document with the bytes its digest is taken over. Never re-encoded.
package struct Document<Body: Sendable>: Sendable {
  package let bytes: [UInt8]
  package let descriptor: Descriptor
  package let body: Body

  package init(bytes: [UInt8], descriptor: Descriptor, body: Body) {
    self.bytes = bytes
    self.descriptor = descriptor
    self.body = body
  }
}

/// Annotation keys with a meaning: image-spec, annotations.md.
package enum AnnotationKey {
  package static let refName = "org.opencontainers.image.ref.name"
  package static let baseName = "org.opencontainers.image.base.name"
  package static let baseDigest = "org.opencontainers.image.base.digest"
  package static let containerdImageName = "io.containerd.image.name"
}
