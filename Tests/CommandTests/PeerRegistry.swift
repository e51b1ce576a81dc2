import Foundation
import SystemPackage
import TestSupport
import Testing

/// Whether a registry can be had here.
func registryPeers(_ others: String...) -> Bool {
  (["docker-registry", "openssl", "perl", "python3"] + others).allSatisfy { peers($0) }
}

extension Room {
  /// What makes the program (and skopeo) trust a registry and, where `isKnown`, know its user; nothing of this
  /// machine's own.
  func environment(for registry: DockerRegistry, isKnown: Bool = true) throws -> [String: String?] {
    let file = path.appending(isKnown ? "auth.json" : "nobody.json")
    if isKnown {
      try registry.writeCredentials(to: file)
    } else {
      try Data("{}".utf8).write(to: URL(fileURLWithPath: file.string))
    }
    return [
      "SSL_CERT_FILE": registry.authority.certificate.string, "REGISTRY_AUTH_FILE": file.string,
      "HOME": path.string, "XDG_RUNTIME_DIR": nil, "XDG_CONFIG_HOME": nil, "DOCKER_CONFIG": nil,
      "DOCKER_AUTH_CONFIG": nil,
    ]
  }

  /// Runs the program as the registry's user, which must succeed, and takes its one line.
  @discardableResult
  func forge(
    at registry: DockerRegistry, _ arguments: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let finished = try forge(arguments, environment: environment(for: registry))
    try #require(
      finished.status == 0, "\(arguments): \(finished.stderr)", sourceLocation: sourceLocation)
    try #require(
      finished.output.wholeMatch(of: /[^\n]+\n/) != nil, "\(finished.output)",
      sourceLocation: sourceLocation)
    return String(finished.output.dropLast())
  }

  /// Copies with skopeo as the registry's user: every platform, and the same bytes.
  func skopeoCopy(
    at registry: DockerRegistry, _ arguments: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let finished = try run(
      "skopeo", ["--insecure-policy", "copy", "--all"] + arguments,
      environment: environment(for: registry), in: path)
    try #require(finished.status == 0, "\(finished.stderr)", sourceLocation: sourceLocation)
  }

  /// The digest of what a layout's tag names, by skopeo and sha256sum.
  func rootDigest(_ image: String) throws -> String {
    let raw = try run("skopeo", ["inspect", "--raw", "oci:\(image)"], in: path)
    try #require(raw.status == 0, "\(raw.stderr)")
    return "sha256:\(try run("sha256sum", input: raw.stdout).output.prefix(64))"
  }

  /// Starts the program and leaves it running, with its output in `<name>.out` and `<name>.err`.
  func start(_ arguments: [String], environment: [String: String?], name: String) throws -> Process
  {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: path.string)
    let settings = environment.merging(["OCIFORGE_CACHE": self("cache")]) { given, _ in given }
    process.environment = ProcessInfo.processInfo.environment.filter { settings[$0.key] == nil }
      .merging(settings.compactMapValues { $0 }) { $1 }
    for (stream, suffix) in [(\Process.standardOutput, "out"), (\.standardError, "err")] {
      try directory.write("\(name).\(suffix)", "")
      process[keyPath: stream] = try FileHandle(
        forWritingTo: URL(fileURLWithPath: self("\(name).\(suffix)")))
    }
    try process.run()
    return process
  }

  func read(_ name: String) throws -> String {
    try String(contentsOfFile: self(name), encoding: .utf8)
  }
}

/// An image with a program that prints the files it is given: small, static, and nobody else's.
struct Printer {
  /// Compiles the program into the room and writes the definition of the image around it.
  static func make(in room: Room) throws {
    try room.directory.write("print.c", source)
    try room.peer("gcc", "-static", "-Os", "-s", "-o", "print", "print.c")
    try room.directory.write(
      "base/image.yaml",
      """
      formatVersion: 1
      name: base
      platforms: [linux/amd64, linux/arm64]
      from: scratch
      layers:
        - name: program
          entries:
            - { path: /usr/bin/print, file: "print-${arch}", mode: "0755" }
            - { path: /bin, symlink: usr/bin }
            - { path: /etc/motd, text: "from the base\\n" }
            - { path: /tmp, directory: true, mode: "1777" }
      config:
        entrypoint: [/bin/print]
        cmd: [/etc/motd]
        env: { PATH: /bin }
      """)
    var program = try Data(contentsOf: URL(fileURLWithPath: room("print")))
    for (architecture, machine) in [("amd64", UInt8(62)), ("arm64", 183)] {
      // There is no cross compiler here: e_machine (bytes 18 and 19) says the other architecture, which is all
      // that assembling looks at.
      program.replaceSubrange(18..<20, with: [machine, 0])
      try room.directory.write("base/print-\(architecture)", program, mode: 0o755)
    }
  }

  /// Writes the definition of an image with one more file, in the folder `app`.
  static func writeApplication(on base: String, in room: Room) throws {
    try room.directory.write(
      "app/image.yaml",
      """
      formatVersion: 1
      name: app
      platforms: [linux/amd64, linux/arm64]
      from: \(base)
      layers:
        - name: files
          entries:
            - { path: /bin/extra, text: "from the app\\n" }
      config:
        env: { APP: "yes" }
      """)
  }

  private static let source = """
    #include <stdio.h>
    int main(int count, char **arguments) {
      for (int index = 1; index < count; index++) {
        FILE *file = fopen(arguments[index], "r");
        if (!file) { printf("no %s\\n", arguments[index]); continue; }
        for (int byte; (byte = getc(file)) != EOF;) putchar(byte);
        fclose(file);
      }
    }

    """
}
