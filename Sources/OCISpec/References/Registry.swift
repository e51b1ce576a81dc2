/// The host that serves images, and its port where one is said: `ghcr.io`, `localhost:5000`, `[::1]:5000`.
///
/// Docker Hub is `docker.io`, whatever alias it came by. Two values that differ in an explicit default port
/// (`ghcr.io`, `ghcr.io:443`) are the same origin (``matches(_:)``); text keeps what was written.
package struct Registry: Sendable, Hashable, CustomStringConvertible {
  /// Lower case; an IPv6 address stands without brackets.
  package let host: String
  package let port: Int?

  package init(host: String, port: Int? = nil) {
    let name = host.lowercased()
    let isHub = Self.hubNames.contains(name) && (port ?? 443) == 443
    self.host = isHub ? "docker.io" : name
    self.port = isHub ? nil : port
  }

  package static let dockerHub = Registry(host: "docker.io")
  private static let hubNames = ["docker.io", "index.docker.io", "registry-1.docker.io"]

  package var description: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return name + (port.map { ":\($0)" } ?? "")
  }

  /// `host[:port]` where the API answers, as a URL has it.
  package var apiHost: String { self == .dockerHub ? "registry-1.docker.io" : description }

  /// What docker's `config.json` and credential helpers call this registry.
  package var credentialKey: String {
    self == .dockerHub ? "https://index.docker.io/v1/" : description
  }

  /// Whether both are one origin over https.
  package func matches(_ other: Registry) -> Bool {
    host == other.host && (port ?? 443) == (other.port ?? 443)
  }

  /// Whether the host is this machine by its very text. `127.1` and `0x7f.0.0.1` are names.
  package var isLoopback: Bool {
    if host == "localhost" || host.hasSuffix(".localhost") { return true }
    if let groups = IPv6Text.groups(of: host) { return groups == [0, 0, 0, 0, 0, 0, 0, 1] }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127"
      && parts.allSatisfy { part in UInt8(part).map { String($0) == part } ?? false }
  }
}
