/// The execution parameters of an image: image-spec, config.md, "config". Absent and empty are different
/// where the specification lets them be.
package struct ContainerConfig: Sendable, Equatable {
  package var user: String?
  /// In the specification's form, `4317/tcp`.
  package var exposedPorts: Set<String> = []
  /// `NAME=value`, in order.
  package var env: [String] = []
  package var entrypoint: [String]?
  package var cmd: [String]?
  package var volumes: Set<String> = []
  package var workingDir: String?
  package var labels: [String: String] = [:]
  package var stopSignal: String?
  /// Docker's extension.
  package var healthcheck: Healthcheck?
  /// Docker's extension: the shell of the shell form.
  package var shell: [String]?
  /// Docker's extension: instructions for images built on this one.
  package var onBuild: [String]?
  package var argsEscaped: Bool?
  package var unknown = JSONObject()

  package init() {}

  init(_ json: Located) throws(DocumentError) {
    user = try json.optional("User")?.string()
    exposedPorts = try json.optional("ExposedPorts")?.keySet() ?? []
    env = try json.optional("Env")?.strings() ?? []
    entrypoint = try json.optional("Entrypoint")?.strings()
    cmd = try json.optional("Cmd")?.strings()
    volumes = try json.optional("Volumes")?.keySet() ?? []
    workingDir = try json.optional("WorkingDir")?.string()
    labels = try json.optional("Labels")?.stringMap() ?? [:]
    stopSignal = try json.optional("StopSignal")?.string()
    healthcheck = try json.optional("Healthcheck").map(Healthcheck.init)
    shell = try json.optional("Shell")?.strings()
    onBuild = try json.optional("OnBuild")?.strings()
    argsEscaped = try json.optional("ArgsEscaped")?.boolean()
    unknown = try json.object().removing(Self.knownKeys)
  }

  package var isEmpty: Bool { self == ContainerConfig() }

  package var json: JSON {
    let object: JSONObject = [
      "User": user.map(JSON.string),
      "ExposedPorts": .set(exposedPorts),
      "Env": env.isEmpty ? nil : .list(env),
      "Entrypoint": .list(entrypoint),
      "Cmd": .list(cmd),
      "Volumes": .set(volumes),
      "WorkingDir": workingDir.map(JSON.string),
      "Labels": .map(labels),
      "StopSignal": stopSignal.map(JSON.string),
      "Healthcheck": healthcheck?.json,
      "Shell": .list(shell),
      "OnBuild": .list(onBuild),
      "ArgsEscaped": argsEscaped.map(JSON.bool),
    ]
    return .object(object + unknown)
  }

  private static let knownKeys: Set<String> = [
    "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels",
    "StopSignal", "Healthcheck", "Shell", "OnBuild", "ArgsEscaped",
  ]
}

/// Docker's health check; durations are nanoseconds, zero or absent means the default.
package struct Healthcheck: Sendable, Hashable {
  /// `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", command]`.
  package var test: [String]?
  package var interval: Int64?
  package var timeout: Int64?
  package var startPeriod: Int64?
  package var startInterval: Int64?
  package var retries: Int64?
  /// Members that this type does not know, kept as they came.
  package var unknown = JSONObject()

  package init(
    test: [String]? = nil, interval: Int64? = nil, timeout: Int64? = nil, startPeriod: Int64? = nil,
    startInterval: Int64? = nil, retries: Int64? = nil
  ) {
    self.test = test
    self.interval = interval
    self.timeout = timeout
    self.startPeriod = startPeriod
    self.startInterval = startInterval
    self.retries = retries
  }

  init(_ json: Located) throws(DocumentError) {
    self.init(
      test: try json.optional("Test")?.strings(),
      interval: try json.optional("Interval")?.integer(),
      timeout: try json.optional("Timeout")?.integer(),
      startPeriod: try json.optional("StartPeriod")?.integer(),
      startInterval: try json.optional("StartInterval")?.integer(),
      retries: try json.optional("Retries")?.integer())
    unknown = try json.object().removing(Self.knownKeys)
  }

  var json: JSON {
    .object(
      [
        "Test": .list(test), "Interval": interval.map(JSON.integer),
        "Timeout": timeout.map(JSON.integer), "StartPeriod": startPeriod.map(JSON.integer),
        "StartInterval": startInterval.map(JSON.integer), "Retries": retries.map(JSON.integer),
      ] + unknown)
  }

  private static let knownKeys: Set<String> = [
    "Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries",
  ]
}
