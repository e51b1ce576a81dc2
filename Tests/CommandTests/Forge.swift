import Foundation
import SystemPackage
import TestSupport
import Testing

/// The program under test: `$OCIFORGE_BINARY`, else the one that was built together with this test.
func builtBinary() throws -> FilePath {
  if let path = ProcessInfo.processInfo.environment["OCIFORGE_BINARY"] { return FilePath(path) }
  let test = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  let beside = FilePath(test).removingLastComponent().appending("ociforge")
  let usual = repository.appending(".build").appending("debug").appending("ociforge")
  return try #require(
    [beside, usual].first { FileManager.default.isExecutableFile(atPath: $0.string) },
    "no built binary at \(beside) or \(usual); run `swift build` or set OCIFORGE_BINARY")
}

/// What decides output and must not leak in from the machine that tests; `nil` removes a variable.
private let quietEnvironment: [String: String?] = {
  let unset = [
    "SOURCE_DATE_EPOCH", "COLUMNS", "OCIFORGE_PLAIN_HTTP", "OCIFORGE_TLS_VERIFY", "DOCKER_CONFIG",
    "DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "HTTP_PROXY",
    "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
  ]
  return Dictionary(uniqueKeysWithValues: unset.map { ($0, String?.none) })
    .merging(["LANG": "C", "LC_ALL": "C"]) { $1 }
}()

/// Runs the built program to its end.
func forge(
  _ arguments: [String], environment: [String: String?] = [:], in directory: FilePath
) throws -> Finished {
  try run(
    builtBinary().string, arguments,
    environment: quietEnvironment.merging(environment) { $1 }, in: directory)
}

/// What a run showed, to be compared in one go.
struct Shown: Equatable, CustomTestStringConvertible {
  let status: Int32
  let stdout: String
  let stderr: String

  var testDescription: String { "exit \(status)\nstdout: \(stdout)\nstderr: \(stderr)" }
}

/// A fresh folder that the program runs in, with a cache of its own. Paths in arguments and messages are
/// relative to it.
final class Workshop {
  let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  var path: FilePath { folder.path }

  /// Runs the program and takes what it wrote as it is.
  func run(_ arguments: [String], environment: [String: String?] = [:]) throws -> Finished {
    let own: [String: String?] = [
      "OCIFORGE_CACHE": path.appending("cache").string, "HOME": path.appending("home").string,
    ]
    return try forge(arguments, environment: own.merging(environment) { $1 }, in: path)
  }

  /// Runs the program and compares everything that it shows.
  func expect(
    _ arguments: [String], environment: [String: String?] = [:], status: Int32 = 0,
    stdout: String = "", stderr: String = "", sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let finished = try run(arguments, environment: environment)
    #expect(
      Shown(status: finished.status, stdout: finished.output, stderr: finished.stderr)
        == Shown(status: status, stdout: stdout, stderr: stderr),
      "ociforge \(arguments.joined(separator: " "))", sourceLocation: sourceLocation)
  }

  /// Writes `definition` to `image.yaml` and assembles it; returns the digest.
  @discardableResult
  func assemble(
    _ definition: String, _ arguments: [String] = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    try folder.write("image.yaml", definition)
    let finished = try run(["assemble", "--progress", "none"] + arguments)
    try #require(
      finished.status == 0 && finished.stderr.isEmpty, "\(finished.stderr)",
      sourceLocation: sourceLocation)
    return String(finished.output.dropLast())
  }

  /// A written layout is validated before a test ends.
  func expectValid(
    _ reference: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try expect(
      ["validate", "--progress", "none", reference], stdout: "valid\n",
      sourceLocation: sourceLocation)
  }

  func read(_ name: String) throws -> String {
    try String(contentsOfFile: path.appending(name).string, encoding: .utf8)
  }

  func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: path.appending(name).string)
  }

  /// The names below a folder, sorted; none where it is missing.
  func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path.appending(folder).string)) ?? [])
      .sorted()
  }

  /// The hexadecimal SHA-256, by another program than ours.
  func sha256(_ bytes: [UInt8]) throws -> String {
    let finished = try TestSupport.run("sha256sum", input: bytes)
    return String(finished.output.prefix(64))
  }
}

/// Definitions that several tests assemble, and the digests they have for good.
enum Sample {
  /// One platform, one layer, a text and a directory.
  static let one = """
    formatVersion: 1
    name: one
    platforms: [linux/amd64]
    epoch: 0
    layers:
      - name: files
        entries:
          - { path: /etc/motd, text: "hello\\n" }
          - { path: /tmp, directory: true, mode: "1777" }
    config:
      user: "10001:10001"
      workingDir: /tmp
      entrypoint: [/bin/tool]

    """
  static let oneDigest = "sha256:ac2bf7e3556ebc34dc0371e29f3920907f1d8766d108eaf5978edecb7c57feb3"

  /// Two platforms, two layers, every kind of link.
  static let two = """
    formatVersion: 1
    name: two
    platforms: [linux/arm64, linux/amd64]
    epoch: 1700000000
    layers:
      - name: system
        entries:
          - { path: /etc/arch, text: "${arch}\\n" }
          - { path: /bin/busybox, text: "#!/bin/false\\n", mode: "0755" }
          - { path: /bin/sh, symlink: busybox }
          - { path: /bin/ash, hardlink: /bin/busybox }
      - name: configuration
        entries:
          - { path: /etc/app.conf, text: "debug = no\\n", mode: "0640", owner: "10001:10001" }
    config:
      env: { PATH: /bin, LANG: C.UTF-8 }
      cmd: [/bin/sh, -c, "echo hello"]
      exposedPorts: [8080, 8125/udp]
      volumes: [/data]
      labels: { team: core }
      stopSignal: SIGTERM
    annotations: { org.opencontainers.image.title: Two }

    """
  static let twoDigest = "sha256:988239e47cfdb06307733d7abc43854b56a33b4f6e277f9fe20940568d44c39c"
}
