import OCISpec

/// What a manifest or an index names.
struct ManifestLinks: Sendable, Equatable {
  /// Blobs of a manifest.
  var blobs: [Descriptor] = []
  /// Manifests of an index.
  var manifests: [Descriptor] = []
  var subject: Descriptor?
  /// As a list of referrers has it: the manifest's own, else its config's type.
  var artifactType: String?
  var annotations: [String: String]

  /// `nil` where the bytes are neither.
  init?(_ bytes: [UInt8]) {
    guard let json = try? JSON(parsing: bytes) else { return nil }
    if json["manifests"] != nil {
      guard let index = try? ImageIndex(json: json) else { return nil }
      manifests = index.manifests
      (subject, artifactType, annotations) = (index.subject, index.artifactType, index.annotations)
    } else {
      guard let manifest = try? Manifest(json: json) else { return nil }
      blobs = [manifest.config] + manifest.layers
      (subject, annotations) = (manifest.subject, manifest.annotations)
      artifactType = manifest.artifactType ?? manifest.config.mediaType.rawValue
    }
  }
}
