import OCISpec

/// The names under which credential files and helpers know a registry.
struct RegistryKeys: Sendable, Hashable {
  /// What is written to a file and asked of a helper.
  let canonical: String
  /// Every spelling of the host and its port; the canonical one first.
  private let hosts: [String]

  private static let hub = "https://index.docker.io/v1/"

  init(_ registry: Registry) {
    if registry == .dockerHub {
      canonical = Self.hub
      hosts = ["docker.io", "index.docker.io", "registry-1.docker.io"]
    } else {
      // Port 443 and none are one origin over https; every other port is another registry.
      let bare = Registry(host: registry.host).description
      canonical = (registry.port ?? 443) == 443 ? bare : registry.description
      hosts = canonical == bare ? [bare, "\(bare):443"] : [canonical]
    }
  }

  /// Whether a key is the registry's own name.
  func isExact(_ key: String) -> Bool { key == canonical || hosts.contains(key.lowercased()) }

  /// Whether a key is the registry's name in a URL, as docker once wrote them: `https://HOST/v1/`, `HOST/v2`.
  func isURL(_ key: String) -> Bool {
    var rest = key.lowercased()[...]
    let scheme = ["https://", "http://"].first { rest.hasPrefix($0) }
    rest = rest.dropFirst(scheme?.count ?? 0)
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    let path = rest[slash...]
    // Without a scheme, any other path is a namespace, and its credential is for that alone.
    guard scheme != nil || ["/", "/v1", "/v1/", "/v2", "/v2/"].contains(path) else { return false }
    return hosts.contains(String(rest[..<slash]))
  }

  /// The keys of the namespaces that hold a repository, longest first: `HOST/team/app`, `HOST/team`.
  func namespaces(of path: String) -> [String] {
    let parts = path.split(separator: "/")
    return parts.indices.reversed().flatMap { last in
      hosts.map { "\($0)/\(parts[...last].joined(separator: "/"))" }
    }
  }

  /// Whether a key is for one of the registry's namespaces.
  func isNamespace(_ key: String) -> Bool {
    guard let slash = key.firstIndex(of: "/"), !isURL(key), !key.contains("://") else {
      return false
    }
    return hosts.contains(key[..<slash].lowercased())
  }
}
