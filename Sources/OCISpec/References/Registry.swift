/// The host that serves images, and its port where one is said: `ghcr.io`, `localhost:5000`, `[::1]:5000`.
///
/// Docker Hub is `docker.io`, whatever alias it came by. Two values that differ in an explicit default port
/// (`ghcr.io`, `ghcr.io:443`) are the same origin; text keeps what was written.
package struct Registry: Sendable, Hashable, CustomStringConvertible {
  /// Lower case; an IPv6 address stands without brackets.
  package let host: String
  package let port: Int?

  package init(host: String, port: Int? = nil) {
    self.host = host.lowercased()
    self.port = port
  }

  package static let dockerHub = Registry(host: "docker.io")

  package var description: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return name + (port.map { ":\($0)" } ?? "")
  }
}

/// Where images of one name are kept: a registry and a path in it, without tag and digest.
package struct Repository: Sendable, Hashable, CustomStringConvertible {
  package let registry: Registry
  /// `library/alpine`: lower case, parts separated by slashes; safe in a URL's path as it stands.
  package let path: String

  package init(registry: Registry, path: String) {
    self.registry = registry
    self.path = path
  }

  package var description: String { "\(registry)/\(path)" }
}
