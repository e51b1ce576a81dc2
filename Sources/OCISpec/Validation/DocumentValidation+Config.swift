import Reporting

/// The rules of config.md.
extension ValidationChecks {
  /// - Parameter isDocker: Docker writes `null` for every list and map that is empty.
  mutating func config(_ document: Located, isDocker: Bool) {
    guard has(document, .object, "config.md") else { return }
    platform(document, "config.md: architecture, os")
    timestamp("created", of: document, "config.md: created")
    _ = member("author", of: document, .string, .optional, "config.md: author")
    let presence: Presence = isDocker ? .nullable : .optional
    if let config = member("config", of: document, .object, presence, "config.md: config") {
      execution(config, lists: presence)
    }
    let diffIDCount = rootfs(of: document)
    history(of: document, diffIDCount: diffIDCount)
  }

  /// - Parameter lists: whether the lists that the schema does not let be `null` may be so.
  private mutating func execution(_ config: Located, lists: Presence) {
    for key in ["User", "WorkingDir", "StopSignal"] {
      _ = member(key, of: config, .string, .optional, "config.md: config.\(key)")
    }
    _ = member("ArgsEscaped", of: config, .boolean, .optional, "config.md: config.ArgsEscaped")
    for key in ["Entrypoint", "Cmd"] {
      _ = elements(key, of: config, .string, .nullable, "config.md: config.\(key)")
    }
    for variable in elements("Env", of: config, .string, lists, "config.md: config.Env") {
      let name = variable.value.stringValue?.prefix { $0 != "=" } ?? ""
      if name.isEmpty || name.count == variable.value.stringValue?.count {
        report(variable, "config.md: config.Env", expected: "NAME=value")
      }
    }
    let portRule = "config.md: config.ExposedPorts"
    if let ports = member("ExposedPorts", of: config, .object, lists, portRule) {
      for (key, value) in zip(ports.value.objectValue?.keys ?? [], ports.children) {
        port(key, at: value.pointer, portRule)
        _ = has(value, .object, portRule)
      }
    }
    let volumeRule = "config.md: config.Volumes"
    for volume in member("Volumes", of: config, .object, .nullable, volumeRule)?.children ?? [] {
      _ = has(volume, .object, volumeRule)
    }
    if let labels = member("Labels", of: config, .object, .nullable, "config.md: config.Labels") {
      annotationRules(labels, "config.md: config.Labels")
    }
  }

  private mutating func port(_ text: String, at pointer: String, _ rule: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let isNumber =
      parts[0].utf8.allSatisfy { (0x30...0x39).contains($0) }
      && (1...65_535).contains(Int(parts[0]) ?? 0)
    guard isNumber, parts.count == 1 || ["tcp", "udp", "sctp"].contains(parts[1]) else {
      report(
        at: pointer, rule,
        expected: "\"port\", \"port/tcp\" or \"port/udp\" with a port of 1 to 65535",
        found: text.quoted)
      return
    }
  }

  /// - Returns: how many layers the config speaks of, where it can be said.
  private mutating func rootfs(of document: Located) -> Int? {
    let rule = "config.md: rootfs"
    guard let rootfs = member("rootfs", of: document, .object, .required, rule) else { return nil }
    let type = member("type", of: rootfs, .string, .required, "\(rule).type")
    if let type, type.value != "layers" { report(type, "\(rule).type", expected: "\"layers\"") }
    for id in elements("diff_ids", of: rootfs, .string, .required, "\(rule).diff_ids") {
      digestGrammar(id, "\(rule).diff_ids")
    }
    return rootfs.member("diff_ids")?.value.arrayValue?.count
  }

  private mutating func history(of document: Located, diffIDCount: Int?) {
    let rule = "config.md: history"
    guard let history = member("history", of: document, .array, .nullable, rule) else { return }
    var layerCount = 0, isCountable = true
    for step in history.children where has(step, .object, rule) {
      timestamp("created", of: step, "\(rule).created")
      for key in ["author", "created_by", "comment"] {
        _ = member(key, of: step, .string, .optional, "\(rule).\(key)")
      }
      let isEmpty = member("empty_layer", of: step, .boolean, .optional, "\(rule).empty_layer")
      if isEmpty == nil && step.member("empty_layer") != nil { isCountable = false }
      if isEmpty?.value != .bool(true) { layerCount += 1 }
    }
    if let diffIDCount, isCountable, !history.children.isEmpty, layerCount != diffIDCount {
      report(
        at: history.pointer, rule,
        expected: "as many steps without \"empty_layer\" as there are diff_ids (\(diffIDCount))",
        found: "\(layerCount)")
    }
  }
}
