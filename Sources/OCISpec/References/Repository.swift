/// Where images of one name are kept: a registry and a path in it, without tag and digest.
package struct Repository: Sendable, Hashable, CustomStringConvertible {
  package let registry: Registry
  /// `library/alpine`: lower case, parts separated by slashes; safe in a URL's path as it stands.
  package let path: String

  package init(registry: Registry, path: String) {
    self.registry = registry
    self.path = path
  }

  /// The longest path that registries take.
  package static let maximumLength = 255

  package var description: String { "\(registry)/\(path)" }
}
