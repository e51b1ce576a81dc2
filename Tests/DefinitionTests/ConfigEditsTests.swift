import Definition
import OCISpec
import Testing

@Suite("ConfigEdits")
struct ConfigEditsTests {
  private let base: ContainerConfig = {
    var base = ContainerConfig()
    base.user = "root"
    base.exposedPorts = ["80/tcp"]
    base.env = ["PATH=/bin", "LANG=C", "HOME=/root"]
    base.entrypoint = ["/bin/base"]
    base.cmd = ["--base"]
    base.volumes = ["/data"]
    base.workingDir = "/base"
    base.labels = ["a": "1", "b": "2"]
    base.stopSignal = "SIGINT"
    base.healthcheck = Healthcheck(test: ["NONE"])
    base.shell = ["/bin/sh", "-c"]
    base.onBuild = ["RUN x"]
    base.argsEscaped = true
    base.unknown = ["Hostname": "h"]
    return base
  }()

  @Test("nothing said changes nothing, unknown fields included")
  func inherits() {
    #expect(ConfigEdits().applying(to: base) == base)
    #expect(ConfigEdits().author(over: "me") == "me")
  }

  @Test("env merges by name: in place, new ones last, null takes away")
  func environment() {
    var edits = ConfigEdits()
    edits.env = .set([
      EnvironmentEdit(name: "NEW", value: "1"), EnvironmentEdit(name: "LANG", value: "C.UTF-8"),
      EnvironmentEdit(name: "PATH", value: nil), EnvironmentEdit(name: "NONE", value: nil),
    ])
    #expect(edits.applying(to: base).env == ["LANG=C.UTF-8", "HOME=/root", "NEW=1"])
  }

  @Test("a variable that a base has twice is one afterwards")
  func repeatedVariable() {
    var edits = ConfigEdits()
    edits.env = .set([EnvironmentEdit(name: "A", value: "3")])
    var base = ContainerConfig()
    base.env = ["A=1", "B", "A=2"]
    #expect(edits.applying(to: base).env == ["A=3", "B"])
  }

  @Test("labels merge by name; null takes away")
  func labels() {
    var edits = ConfigEdits()
    edits.labels = .set(["b": "3", "a": nil, "c": "4"])
    #expect(edits.applying(to: base).labels == ["b": "3", "c": "4"])
  }

  @Test("ports and volumes add up")
  func sets() {
    var edits = ConfigEdits()
    edits.exposedPorts = .set(["443/tcp"])
    edits.volumes = .set(["/cache"])
    let config = edits.applying(to: base)
    #expect(config.exposedPorts == ["80/tcp", "443/tcp"])
    #expect(config.volumes == ["/data", "/cache"])
  }

  @Test("an entrypoint drops the base's cmd, but not the definition's own")
  func entrypoint() {
    var edits = ConfigEdits()
    edits.entrypoint = .set(["/bin/new"])
    #expect(edits.applying(to: base).cmd == nil)
    edits.cmd = .set(["--new"])
    #expect(edits.applying(to: base).cmd == ["--new"])
    #expect(edits.applying(to: base).entrypoint == ["/bin/new"])
  }

  @Test("a reset entrypoint leaves the cmd, and a cmd the entrypoint")
  func resetEntrypoint() {
    var edits = ConfigEdits()
    edits.entrypoint = .reset
    #expect(edits.applying(to: base).entrypoint == nil)
    #expect(edits.applying(to: base).cmd == ["--base"])
    edits = ConfigEdits()
    edits.cmd = .set([])
    #expect(edits.applying(to: base).entrypoint == ["/bin/base"])
    #expect(edits.applying(to: base).cmd == [])
  }

  @Test("null resets every field, and only unknown ones stay")
  func reset() {
    var edits = ConfigEdits()
    edits.author = .reset
    edits.user = .reset
    edits.exposedPorts = .reset
    edits.env = .reset
    edits.entrypoint = .reset
    edits.cmd = .reset
    edits.volumes = .reset
    edits.workingDir = .reset
    edits.labels = .reset
    edits.stopSignal = .reset
    edits.healthcheck = .reset
    edits.shell = .reset
    edits.onBuild = .reset
    var rest = ContainerConfig()
    rest.argsEscaped = true
    rest.unknown = ["Hostname": "h"]
    #expect(edits.applying(to: base) == rest)
    #expect(edits.author(over: "me") == nil)
  }

  @Test("what is set replaces")
  func replaces() {
    var edits = ConfigEdits()
    edits.user = .set("1:1")
    edits.workingDir = .set("/new")
    edits.stopSignal = .set("9")
    edits.healthcheck = .set(Healthcheck(test: ["CMD", "x"]))
    edits.shell = .set(["/bin/bash"])
    edits.onBuild = .set([])
    let config = edits.applying(to: base)
    #expect(config.user == "1:1")
    #expect(config.workingDir == "/new")
    #expect(config.stopSignal == "9")
    #expect(config.healthcheck == Healthcheck(test: ["CMD", "x"]))
    #expect(config.shell == ["/bin/bash"])
    #expect(config.onBuild == [])
  }
}
