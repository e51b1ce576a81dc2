import Foundation
import SystemPackage
import TestSupport
import Testing

/// The collector's release page and the CA bundle as they would be on the internet: served by nginx over
/// HTTPS, certified by a CA of their own, for a copy of `layouts/otel-collector` that has their digests.
///
/// A class, because the server must be stopped exactly once.
final class CollectorRelease {
  let room: Room
  let certificates: String
  private let server: Process
  private let port: UInt16

  init() throws {
    room = try Room()
    certificates = room("ca.pem")
    port = try Self.freePort()
    server = Process()
    try makeCertificates()
    try makeFiles()
    try makeDefinition()
    try startServer()
  }

  deinit { stopServer() }

  func stopServer() {
    guard server.isRunning else { return }
    // Started from a worker thread, it has SIGTERM blocked.
    kill(server.processIdentifier, SIGKILL)
    server.waitUntilExit()
  }

  /// Where the definition's parameters point instead.
  var settings: [String] {
    [
      "--set", "releases=https://localhost:\(port)", "--set",
      "certificates=https://localhost:\(port)/cacert.pem",
    ]
  }

  func forge(
    _ arguments: [String], environment: [String: String?] = [:], under wrapper: [String] = []
  ) throws -> Finished {
    try room.forge(
      ["assemble", "definition"] + settings + arguments,
      environment: ["SSL_CERT_FILE": certificates].merging(environment) { $1 }, under: wrapper)
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

  private func makeCertificates() throws {
    try room.shell(
      """
      key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
      openssl req -x509 $key -keyout ca.key -out ca.pem -days 2 -subj '/CN=Private CA'
      openssl req $key -keyout server.key -out server.csr -subj /CN=localhost
      echo subjectAltName=DNS:localhost >names
      openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names \
        -out server.pem
      """)
  }

  // MARK: The server

  private func startServer() throws {
    let folder = room.path.string
    try room.directory.write(
      "nginx.conf",
      """
      daemon off;
      master_process off;
      pid \(folder)/nginx.pid;
      error_log stderr;
      events {}
      http {
        access_log \(folder)/access.log;
        client_body_temp_path \(folder)/body;
        proxy_temp_path \(folder)/proxy;
        fastcgi_temp_path \(folder)/fastcgi;
        uwsgi_temp_path \(folder)/uwsgi;
        scgi_temp_path \(folder)/scgi;
        server {
          listen 127.0.0.1:\(port) ssl;
          ssl_certificate \(folder)/server.pem;
          ssl_certificate_key \(folder)/server.key;
          root \(folder)/www;
        }
      }
      """)
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    server.environment = ["PATH": "\(path):/usr/sbin:/sbin"]
    server.arguments = ["nginx", "-p", folder, "-c", room("nginx.conf"), "-e", room("error.log")]
    try server.run()
    for _ in 0..<500 where !Self.answers(on: port) {
      guard server.isRunning else { break }
      usleep(10_000)
    }
    try #require(Self.answers(on: port), "nginx does not answer")
  }

  private static func freePort() throws -> UInt16 {
    try withSocket { socket in
      var address = loopback(port: 0)
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let result = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(socket, $0, size) | getsockname(socket, $0, &size)
        }
      }
      try #require(result == 0)
      return UInt16(bigEndian: address.sin_port)
    }
  }

  private static func answers(on port: UInt16) -> Bool {
    withSocket { socket in
      var address = loopback(port: port)
      return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      } == 0
    }
  }

  private static func withSocket<Result>(_ body: (Int32) throws -> Result) rethrows -> Result {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    return try body(socket)
  }

  private static func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }
}
