import OCISpec

/// Registries that are known to spoil a blob sent in chunks. Saves an attempt there; what is not known is found
/// out.
enum ChunkSupport {
  /// Amazon ECR keeps the first chunk only, https://github.com/aws/containers-roadmap/issues/2831; GitHub takes
  /// 4 MiB, https://github.com/cirruslabs/tart/issues/179; Google documents none,
  /// https://github.com/containers/skopeo/issues/1101.
  private static let suffixes = [
    "ghcr.io", "gcr.io", "pkg.dev", "amazonaws.com", "amazonaws.com.cn",
  ]

  static func isLikely(_ registry: Registry) -> Bool {
    !suffixes.contains { registry.host == $0 || registry.host.hasSuffix(".\($0)") }
  }
}
