/// A media type. The set is open: what is not known here passes through untouched.
package struct MediaType: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
  package let rawValue: String

  package init(rawValue: String) { self.rawValue = rawValue }
  package var description: String { rawValue }

  package static let imageIndex = Self(rawValue: "application/vnd.oci.image.index.v1+json")
  package static let imageManifest = Self(rawValue: "application/vnd.oci.image.manifest.v1+json")
  package static let imageConfig = Self(rawValue: "application/vnd.oci.image.config.v1+json")
  package static let layer = Self(rawValue: "application/vnd.oci.image.layer.v1.tar")
  package static let layerGzip = Self(rawValue: "application/vnd.oci.image.layer.v1.tar+gzip")
  package static let layerZstd = Self(rawValue: "application/vnd.oci.image.layer.v1.tar+zstd")
  package static let empty = Self(rawValue: "application/vnd.oci.empty.v1+json")

  package static let dockerManifestList = Self(
    rawValue: "application/vnd.docker.distribution.manifest.list.v2+json")
  package static let dockerManifest = Self(
    rawValue: "application/vnd.docker.distribution.manifest.v2+json")
  package static let dockerConfig = Self(rawValue: "application/vnd.docker.container.image.v1+json")
  package static let dockerLayer = Self(rawValue: "application/vnd.docker.image.rootfs.diff.tar")
  package static let dockerLayerGzip = Self(
    rawValue: "application/vnd.docker.image.rootfs.diff.tar.gzip")

  package var isIndex: Bool { self == .imageIndex || self == .dockerManifestList }
  package var isManifest: Bool { self == .imageManifest || self == .dockerManifest }
  package var isConfig: Bool { self == .imageConfig || self == .dockerConfig }

  /// Whether this names a file system layer whose tar, possibly compressed, can be read.
  package var isLayer: Bool {
    let known: [Self] = [.layer, .layerGzip, .layerZstd, .dockerLayer, .dockerLayerGzip]
    return known.contains(self) || rawValue.hasPrefix(nonDistributable)
  }

  private var nonDistributable: String { "application/vnd.oci.image.layer.nondistributable.v1.tar" }
}
