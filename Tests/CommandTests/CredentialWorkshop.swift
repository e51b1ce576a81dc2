import Foundation
import SystemPackage
import TestSupport
import Testing

/// A folder that is the home of a user with no credentials.
final class CredentialWorkshop {
  let workshop: Workshop
  static let password = "s3cret-Pa55word"

  init() throws { workshop = try Workshop() }

  var path: String { workshop.path.string }

  var environment: [String: String?] {
    [
      "HOME": "\(path)/home", "XDG_RUNTIME_DIR": "\(path)/run", "XDG_CONFIG_HOME": nil,
      "REGISTRY_AUTH_FILE": nil, "DOCKER_AUTH_CONFIG": nil, "DOCKER_CONFIG": nil,
      "PATH": "\(path)/bin:\(ProcessInfo.processInfo.environment["PATH"] ?? "")",
    ]
  }

  /// A helper program: what a shell does, with the action as `$1`.
  func helper(_ name: String, _ script: String) throws {
    try workshop.folder.write(
      "bin/docker-credential-\(name)", "#!/bin/sh\n\(script)\n", mode: 0o755)
  }

  func run(
    _ arguments: [String], input: String = "", environment: [String: String?] = [:]
  ) throws -> Finished {
    let quiet: [String: String?] = ["LC_ALL": "C", "COLUMNS": nil]
    return try TestSupport.run(
      builtBinary().string, arguments,
      environment: quiet.merging(self.environment) { $1 }.merging(environment) { $1 },
      in: workshop.path, input: Array(input.utf8))
  }

  /// Runs the program and compares everything that it shows; the secret is never part of it.
  func expect(
    _ arguments: [String], input: String = "", environment: [String: String?] = [:],
    status: Int32 = 0, stdout: String = "", stderr: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let finished = try run(arguments, input: input, environment: environment)
    #expect(
      Shown(status: finished.status, stdout: finished.output, stderr: finished.stderr)
        == Shown(status: status, stdout: stdout, stderr: stderr),
      "ociforge \(arguments.joined(separator: " "))", sourceLocation: sourceLocation)
    #expect(
      !finished.output.contains(Self.password) && !finished.stderr.contains(Self.password),
      sourceLocation: sourceLocation)
  }

  /// Leaves alice's password where `login` would, without a registry that is asked for it.
  func store(_ registry: String = "ghcr.io", in file: String = "home/.docker/config.json") throws {
    let path = workshop.path.appending(file).string
    let known = FileManager.default.contents(atPath: path)
    var document =
      try known.map { try JSONSerialization.jsonObject(with: $0) } as? [String: Any] ?? [:]
    var entries = document["auths"] as? [String: Any] ?? [:]
    entries[registry] = ["auth": Self.base64("alice:\(Self.password)")]
    document["auths"] = entries
    try workshop.folder.write(
      file, try JSONSerialization.data(withJSONObject: document), mode: 0o600)
  }

  static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
}
