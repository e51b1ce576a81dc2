import OCISpec

extension MediaType {
  /// What the OCI calls a layer of this type; `nil` for what is no layer, or none that may be given on. Bytes
  /// are the same whatever they are called.
  var layerOfOCI: MediaType? {
    switch self {
    case .layer, .layerGzip, .layerZstd: self
    case .dockerLayer: .layer
    case .dockerLayerGzip: .layerGzip
    case .dockerLayerZstd: .layerZstd
    default: nil
    }
  }

  /// Whether layers of this type may lie elsewhere than the image: layer.md, "Non-Distributable Layers", and
  /// Docker's name for them.
  var isForeignLayer: Bool {
    rawValue.contains(".layer.nondistributable.") || rawValue.contains(".rootfs.foreign.diff.")
  }

  /// As BuildKit writes it where it is asked for Docker's types and zstd.
  private static let dockerLayerZstd = MediaType(
    rawValue: "application/vnd.docker.image.rootfs.diff.tar.zstd")
}
