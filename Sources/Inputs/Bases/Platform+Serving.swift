import OCISpec

extension Platform {
  /// The platforms whose images do for this one, the nearest first: itself, then the lower variants of its
  /// architecture, as containerd has them:
  /// https://github.com/containerd/platforms/blob/main/compare.go
  var served: [Platform] {
    switch architecture {
    case "arm": [self] + lowerVariants(of: variant ?? "v7", downTo: 5)
    case "amd64": [self] + lowerVariants(of: variant ?? "v1", downTo: 1)
    case "arm64": [self, with(variant: "v8")]
    default: [self]
    }
  }

  private func lowerVariants(of variant: String, downTo lowest: Int) -> [Platform] {
    guard variant.hasPrefix("v"), let number = Int(variant.dropFirst()),
      lowest < number && number < 10
    else { return [] }
    return (lowest..<number).reversed().map { with(variant: "v\($0)") }
  }

  private func with(variant: String) -> Platform {
    var other = self
    other.variant = variant
    return other
  }
}
