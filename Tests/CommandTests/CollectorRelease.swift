import Foundation
import SystemPackage
import TestSupport
import Testing

/// The collector's release page and the CA bundle as they would be on the internet: served by nginx over
/// HTTPS, certified by a CA of their own, for a copy of `layouts/otel-collector` that has their digests.
struct CollectorRelease {
  let room: Room
  private let server: Nginx

  init() throws {
    room = try Room()
    server = try Nginx(serving: FilePath(room("www")))
    try makeFiles()
    try makeDefinition()
  }

  func stopServer() { server.stop() }

  /// The certificate that makes a client trust the page.
  var authority: String { server.authority.string }

  func url(_ path: String) -> String { server.url(path) }

  /// Where the definition's parameters point instead.
  var settings: [String] {
    [
      "--set", "releases=\(url(""))", "--set",
      "certificates=\(url("/cacert.pem"))",
    ]
  }

  func forge(
    _ arguments: [String], environment: [String: String?] = [:], under wrapper: [String] = []
  ) throws -> Finished {
    try room.forge(
      ["assemble", "definition"] + settings + arguments,
      environment: ["SSL_CERT_FILE": authority].merging(environment) { $1 },
      under: wrapper)
  }

  /// Assembles, which must succeed.
  @discardableResult
  func assemble(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) throws
    -> String
  {
    let finished = try forge(arguments)
    try #require(finished.status == 0, "\(finished.stderr)", sourceLocation: sourceLocation)
    return String(finished.output.dropLast())
  }

  func sha256(_ name: String) throws -> String {
    String(try room.peer("sha256sum", name).prefix(64))
  }

  func archive(_ architecture: String) -> String {
    "www/v0.120.0/otelcol_0.120.0_linux_\(architecture).tar.gz"
  }

  /// Changes a line of the definition's copy.
  func edit(_ old: String, _ new: String) throws {
    let file = room("definition/image.yaml")
    let text = try String(contentsOfFile: file, encoding: .utf8)
    try #require(text.contains(old))
    try Data(text.replacing(old, with: new).utf8).write(to: URL(fileURLWithPath: file))
  }

  // MARK: What is served

  // Says what a container gave it: arguments, user, directory, and the certificates it can read.
  private static let program = """
    #include <stdio.h>
    #include <unistd.h>
    int main(int count, char **arguments) {
      char text[4096] = "";
      for (int index = 1; index < count; index++) printf("argument %s\\n", arguments[index]);
      printf("user %d:%d\\n", getuid(), getgid());
      printf("directory %s\\n", getcwd(text, sizeof text));
      FILE *bundle = fopen("/etc/ssl/certs/ca-certificates.crt", "r");
      int count_of_certificates = 0;
      while (bundle && fgets(text, sizeof text, bundle))
        if (text[0] == '-' && text[5] == 'B') count_of_certificates++;
      printf("certificates %d\\n", count_of_certificates);
    }

    """

  private func makeFiles() throws {
    try room.directory.write("otelcol.c", Self.program)
    try room.peer("gcc", "-static", "-Os", "-s", "-o", "otelcol", "otelcol.c")
    try room.directory.write("README.md", "# Collector\n")
    let built = try Data(contentsOf: URL(fileURLWithPath: room("otelcol")))
    try #require(built.starts(with: [0x7F, 0x45, 0x4C, 0x46]))
    for (architecture, machine) in [("amd64", UInt8(62)), ("arm64", 183)] {
      // There is no cross compiler here: e_machine (bytes 18 and 19) says the other architecture, which is
      // all that assembling looks at. Only the image for this machine is run.
      var program = built
      program[18] = machine
      program[19] = 0
      try room.directory.write("otelcol", program, mode: 0o755)
      try FileManager.default.createDirectory(
        atPath: room("www/v0.120.0"), withIntermediateDirectories: true)
      try room.peer("tar", "-czf", archive(architecture), "README.md", "otelcol")
      try room.directory.write("otelcol-\(architecture)", program, mode: 0o755)
    }
    try room.peer("cp", "/etc/ssl/certs/ca-certificates.crt", "www/cacert.pem")
  }

  private func makeDefinition() throws {
    try room.peer("cp", "-r", repository.appending("layouts/otel-collector").string, "definition")
    let pinned = [
      "542120312dd55a68239aef9e28a8516ff5024e92c9b58679511c0adcf4511694": archive("amd64"),
      "e263709687345384de47f0c7ba7f58fd1cb8d2f99d56a07cdf6ab518b0d70949": archive("arm64"),
      "7430e90ee0cdca2d0f02b1ece46fbf255d5d0408111f009638e3b892d6ca089c": "www/cacert.pem",
    ]
    for (digest, file) in pinned { try edit(digest, sha256(file)) }
  }
}
