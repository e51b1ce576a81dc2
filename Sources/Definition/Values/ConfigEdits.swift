package import OCISpec

/// What a definition says of one field of a config.
package enum Edit<Value: Sendable & Equatable>: Sendable, Equatable {
  /// Not mentioned: the base's value stays.
  case inherit
  /// `null`: as if the base had none.
  case reset
  case set(Value)
}

/// What a definition changes in its base's config.
package struct ConfigEdits: Sendable, Equatable {
  package var author: Edit<String> = .inherit
  package var user: Edit<String> = .inherit
  package var exposedPorts: Edit<Set<String>> = .inherit
  /// By name, in the order written; a `nil` value removes the base's variable.
  package var env: Edit<[EnvironmentEdit]> = .inherit
  package var entrypoint: Edit<[String]> = .inherit
  package var cmd: Edit<[String]> = .inherit
  package var volumes: Edit<Set<String>> = .inherit
  package var workingDir: Edit<String> = .inherit
  /// A `nil` value removes the base's label.
  package var labels: Edit<[String: String?]> = .inherit
  package var stopSignal: Edit<String> = .inherit
  package var healthcheck: Edit<Healthcheck> = .inherit
  package var shell: Edit<[String]> = .inherit
  package var onBuild: Edit<[String]> = .inherit

  package init() {}
}

package struct EnvironmentEdit: Sendable, Equatable {
  package var name: String
  package var value: String?

  package init(name: String, value: String?) {
    self.name = name
    self.value = value
  }
}
