package import Reporting

/// What a manifest runs on: image-spec, image-index.md, "platform".
package struct Platform: Sendable, Hashable, Comparable, CustomStringConvertible {
  package var os: String
  package var architecture: String
  package var variant: String?
  package var osVersion: String?
  package var osFeatures: [String]?

  package init(
    os: String, architecture: String, variant: String? = nil, osVersion: String? = nil,
    osFeatures: [String]? = nil
  ) {
    self.os = os
    self.architecture = architecture
    self.variant = variant
    self.osVersion = osVersion
    self.osFeatures = osFeatures
  }

  /// Parses `os/architecture` or `os/architecture/variant` in Go's spelling (`linux/amd64`, `linux/arm/v7`).
  package init(parsing text: String) throws(PlatformError) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let isPlain = parts.allSatisfy { part in
      !part.isEmpty
        && part.utf8.allSatisfy { byte in
          (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2E
            || byte == 0x5F || byte == 0x2D
        }
    }
    guard parts.count == 2 || parts.count == 3, isPlain else {
      throw PlatformError.malformed(text)
    }
    let aliases = [
      "x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386", "armhf": "arm/v7",
    ]
    if let name = aliases[parts[1]] {
      throw PlatformError.alias(text, suggestion: "\(parts[0])/\(name)")
    }
    self.init(os: parts[0], architecture: parts[1], variant: parts.count == 3 ? parts[2] : nil)
  }

  package var description: String {
    [os, architecture, variant].compactMap { $0 }.joined(separator: "/")
  }

  /// The order of manifests in an index: by operating system, architecture, variant, bytewise.
  package static func < (a: Self, b: Self) -> Bool {
    let left = [a.os, a.architecture, a.variant ?? ""]
    let right = [b.os, b.architecture, b.variant ?? ""]
    return left.lexicographicallyPrecedes(right) { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Whether an image for `other` is one for this platform: `arm64` and `arm64/v8` are the same.
  package func matches(_ other: Platform) -> Bool {
    os == other.os && architecture == other.architecture && normalVariant == other.normalVariant
  }

  private var normalVariant: String? {
    switch (architecture, variant) {
    case ("arm64", "v8"), ("amd64", "v1"): nil
    case ("arm", nil): "v7"
    default: variant
    }
  }
}

package enum PlatformError: Failure, Equatable {
  case malformed(String)
  case alias(String, suggestion: String)

  package var kind: FailureKind { .usage }

  package var description: String {
    switch self {
    case .malformed(let text):
      "not a platform: expected \"os/architecture\" or \"os/architecture/variant\" such as \"linux/amd64\", got \(text.quoted)"
    case .alias(let text, let suggestion):
      "not a platform: images say \(suggestion.quoted) for \(text.quoted)"
    }
  }
}
