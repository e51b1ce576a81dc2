import Bindings
import Definition
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("ImageDefinition")
struct ImageDefinitionTests {
  @Test("the collector's definition means what it says, for both platforms")
  func collector() throws {
    let definition = try ImageDefinition.load(sample("otel-collector.yaml"))
    #expect(definition.name == "otel-collector")
    #expect(definition.formatVersion == 1)
    #expect(definition.epoch == 0)
    #expect(definition.parameters == ["version": "0.120.0"])
    #expect(
      definition.annotations == [
        "org.opencontainers.image.source":
          "https://github.com/open-telemetry/opentelemetry-collector-releases"
      ])
    #expect(definition.warnings.isEmpty)
    #expect(definition.images.map(\.platform.description) == ["linux/amd64", "linux/arm64"])

    let releases =
      "https://github.com/open-telemetry/opentelemetry-collector-releases/releases/download/v0.120.0"
    let digests = [
      "amd64": "542120312dd55a68239aef9e28a8516ff5024e92c9b58679511c0adcf4511694",
      "arm64": "e263709687345384de47f0c7ba7f58fd1cb8d2f99d56a07cdf6ab518b0d70949",
    ]
    for image in definition.images {
      let arch = image.platform.architecture
      let collector = try #require(image.inputs["collector"])
      #expect(
        collector.source
          == .url(
            "\(releases)/otelcol_0.120.0_linux_\(arch).tar.gz",
            digest: try Digest(.sha256, hex: #require(digests[arch]))))
      #expect(collector.member == "otelcol")
      #expect(
        collector.checksums == "\(releases)/opentelemetry-collector-releases_otelcol_checksums.txt")
      #expect(image.base == .scratch)
      #expect(image.accounts == nil)
      #expect(image.layers.map(\.name) == ["ca-certificates", "collector"])
      let entry = try #require(image.layers[1].entries.first)
      #expect(entry.path.description == "/etc/otel/bin/otel-collector")
      #expect(entry.attributes == EntryAttributes(mode: 0o755))
      #expect(entry.location.line == 25 && entry.location.column == 9)
      guard case .input("collector") = entry.content else {
        Issue.record("\(entry.content)")
        continue
      }
      #expect(image.config.user == .set("10001:10001"))
      #expect(image.config.workingDir == .set("/etc/otel/bin"))
      #expect(image.config.entrypoint == .set(["/etc/otel/bin/otel-collector"]))
      #expect(image.config.exposedPorts == .set(["4317/tcp", "4318/tcp"]))
      #expect(image.config.cmd == .inherit)
    }
  }

  @Test("every key of the config is read")
  func config() throws {
    let config = try everything("linux/arm64").config
    #expect(config.author == .set("The Authors"))
    #expect(config.user == .set("app:app"))
    #expect(
      config.exposedPorts
        == .set([
          "4317/tcp", "8080/tcp", "4318/tcp", "8125/udp", "9000/tcp", "9001/tcp", "9002/tcp",
        ]))
    #expect(
      config.env
        == .set([
          EnvironmentEdit(name: "PATH", value: "/usr/bin"),
          EnvironmentEdit(name: "EMPTY", value: ""), EnvironmentEdit(name: "GONE", value: nil),
        ]))
    #expect(config.entrypoint == .set(["/usr/bin/tool", "--arch=arm64"]))
    #expect(config.cmd == .set([]))
    #expect(config.volumes == .set(["/data", "/cache"]))
    #expect(config.workingDir == .set("/srv"))
    #expect(config.labels == .set(["made.by": "hand", "dropped": nil]))
    #expect(config.stopSignal == .set("SIGRTMIN+3"))
    #expect(
      config.healthcheck
        == .set(
          Healthcheck(
            test: ["CMD-SHELL", "wget -q localhost:8080"], interval: 90_000_000_000,
            timeout: 1_500_000_000, startPeriod: 500_000_000, startInterval: 3_600_000_000_000,
            retries: 3)))
    #expect(config.shell == .reset)
    #expect(config.onBuild == .set(["RUN true"]))
  }

  @Test("every kind of input is read, and only those that a layer uses")
  func inputs() throws {
    let inputs = try everything("linux/arm/v7").inputs
    #expect(inputs.keys.sorted() == ["mirrored", "notes", "tool"])
    #expect(
      inputs["tool"]?.source
        == .url(
          "https://example.com/tool-armv7.zip",
          digest: try Digest(.sha256, hex: String(repeating: "3", count: 64))))
    #expect(inputs["tool"]?.member == "v7/tool")
    #expect(try everything("linux/arm64").inputs["tool"]?.member == "arm/tool")
    #expect(
      inputs["notes"]?.source == .file(samples.appending("docs/notes-arm.txt")))
    #expect(inputs["tool"]?.location.line == 11)

    let text = """
      formatVersion: 1
      name: x
      platforms: [linux/amd64]
      inputs: { spare: { url: https://e.org/x } }
      """
    let definition = try parse(text)
    #expect(definition.images.first?.inputs.isEmpty == true)
    #expect(
      definition.warnings.map { $0.description(in: definition.file) } == [
        "image.yaml:4:11: input \"spare\" is used by no layer"
      ])
  }

  @Test("every kind of entry is read")
  func entries() throws {
    let image = try everything("linux/amd64")
    #expect(image.layers.map(\.name) == ["files-amd64", "empty"])
    let entries = image.layers[0].entries
    #expect(
      entries.map { "\($0.path) \(summary($0.content))" } == [
        "/usr/bin/tool input tool",
        "/usr/bin/alias hardlink /usr/bin/tool",
        "/usr/bin/link symlink ../bin/tool",
        "/etc/app.conf file \(samples)/../shared/app.conf",
        "/etc/absolute file /srv/absolute",
        "/usr/share/notes input notes",
        "/etc/profile text export PATH=$PATH:/usr/bin # $ ${HOME} 8080 linux\n",
        "/tmp directory",
        "/ directory",
        "/ archive input mirrored",
        "/opt archive \(samples)/local.tar",
        "/srv tree \(samples)/public [*.html, /img/**] [**/draft-*]",
        "/usr/share/doc remove",
      ])
    #expect(
      entries[0].attributes
        == EntryAttributes(mode: 0o755, owner: Owner(uid: 1, gid: 2), mtime: 5))
    #expect(entries[3].attributes.mtime == 1_752_537_600)
    #expect(entries[6].attributes.mode == 0o4755)
    #expect(
      entries[6].attributes.xattrs == [
        ExtendedAttribute(
          name: Array("security.capability".utf8),
          value: [1, 0, 0, 2, 0, 0x20, 0, 0] + [UInt8](repeating: 0, count: 12)),
        ExtendedAttribute(name: Array("user.bytes".utf8), value: [0, 255]),
        ExtendedAttribute(name: Array("user.origin".utf8), value: Array("made".utf8)),
      ])
  }

  @Test("accounts have the defaults of people who do not log in")
  func accounts() throws {
    #expect(
      try everything("linux/amd64").accounts
        == Accounts(
          users: [
            Accounts.User(name: "app", uid: 10001, gid: 10001, home: "/", shell: "/sbin/nologin"),
            Accounts.User(name: "web", uid: 33, gid: 34, home: "/srv/www", shell: "/bin/sh"),
          ],
          groups: [
            Accounts.Group(name: "app", gid: 10001, members: []),
            Accounts.Group(name: "www", gid: 34, members: ["app", "web"]),
          ]))
  }

  @Test("images are sorted by platform, whatever the order in the definition")
  func order() throws {
    let definition = try ImageDefinition.load(sample("everything.yaml"))
    #expect(
      definition.images.map(\.platform.description) == [
        "linux/amd64", "linux/arm/v7", "linux/arm64",
      ])
    #expect(definition.annotations.values.sorted() == ["on port 8080, for $5"])
  }

  private func everything(_ platform: String) throws -> PlatformImage {
    let definition = try ImageDefinition.load(
      sample("everything.yaml"), platforms: [Platform(parsing: platform)])
    #expect(definition.images.count == 1)
    return try #require(definition.images.first)
  }

  private func summary(_ content: LayerEntry.Content) -> String {
    switch content {
    case .input(let name): "input \(name)"
    case .file(let path): "file \(path)"
    case .tree(let path, let include, let exclude):
      "tree \(path) [\(include.map(\.pattern).joined(separator: ", "))] [\(exclude.map(\.pattern).joined(separator: ", "))]"
    case .archive(.file(let path)): "archive \(path)"
    case .archive(.input(let name)): "archive input \(name)"
    case .text(let bytes): "text \(String(decoding: bytes, as: UTF8.self))"
    case .symlink(let target): "symlink \(String(decoding: target, as: UTF8.self))"
    case .hardlink(let target): "hardlink \(target)"
    case .directory: "directory"
    case .remove: "remove"
    }
  }
}

/// The folder of the definitions that tests read.
let samples: FilePath = {
  var folder = FilePath(#filePath)
  for _ in 0..<3 { folder.removeLastComponent() }
  return folder.appending("testdata").appending("definitions")
}()

func sample(_ name: String) -> FilePath { samples.appending(name) }

func parse(
  _ text: String, overrides: [String: String] = [:], platforms: [Platform]? = nil
) throws -> ImageDefinition {
  try ImageDefinition.parse(
    Array(text.utf8), file: "image.yaml", overrides: overrides, platforms: platforms)
}
