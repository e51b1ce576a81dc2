package import OCISpec

extension ConfigEdits {
  /// The config of an image on a base, by the Dockerfile's rules: `env` and `labels` merge by name, in the base's
  /// order; ports and volumes add up; an entrypoint that is set drops the base's `cmd`; what is not
  /// mentioned is kept, and so are fields that nobody here knows.
  ///
  /// `author` is not in a `ContainerConfig`: see ``author(over:)``.
  package func applying(to base: ContainerConfig) -> ContainerConfig {
    var config = base
    config.user = user.applied(to: base.user)
    config.exposedPorts = exposedPorts.added(to: base.exposedPorts)
    config.volumes = volumes.added(to: base.volumes)
    config.env = environment(over: base.env)
    config.entrypoint = entrypoint.applied(to: base.entrypoint)
    config.cmd = cmd.applied(to: entrypoint.isSet ? nil : base.cmd)
    config.workingDir = workingDir.applied(to: base.workingDir)
    config.labels = labels(over: base.labels)
    config.stopSignal = stopSignal.applied(to: base.stopSignal)
    config.healthcheck = healthcheck.applied(to: base.healthcheck)
    config.shell = shell.applied(to: base.shell)
    config.onBuild = onBuild.applied(to: base.onBuild)
    return config
  }

  /// The author of an image on a base by `base`.
  package func author(over base: String?) -> String? { author.applied(to: base) }

  private func environment(over base: [String]) -> [String] {
    guard case .set(let edits) = env else { return env == .reset ? [] : base }
    var variables = base
    for edit in edits {
      let first = variables.firstIndex { name(of: $0) == edit.name }
      variables.removeAll { name(of: $0) == edit.name }
      guard let value = edit.value else { continue }
      variables.insert("\(edit.name)=\(value)", at: first ?? variables.endIndex)
    }
    return variables
  }

  private func name(of variable: String) -> String {
    String(variable.prefix { $0 != "=" })
  }

  private func labels(over base: [String: String]) -> [String: String] {
    guard case .set(let edits) = labels else { return labels == .reset ? [:] : base }
    var labels = base
    for (name, value) in edits { labels[name] = value }
    return labels
  }
}

extension Edit {
  fileprivate var isSet: Bool { if case .set = self { true } else { false } }

  fileprivate func applied(to base: Value?) -> Value? {
    switch self {
    case .inherit: base
    case .reset: nil
    case .set(let value): value
    }
  }
}

extension Edit<Set<String>> {
  fileprivate func added(to base: Set<String>) -> Set<String> {
    switch self {
    case .inherit: base
    case .reset: []
    case .set(let values): base.union(values)
    }
  }
}
