import Foundation
package import SystemPackage

/// Debian's nginx on loopback, with TLS by a private authority that `openssl` makes, and plain http.
package final class Nginx: @unchecked Sendable {
  package let directory: TemporaryDirectory
  package let securePort: Int
  package let plainPort: Int
  private let server = Process()

  /// The certificate that clients must trust.
  package var authority: FilePath { directory.path.appending("ca.pem") }

  /// Starts it, runs `body`, stops it.
  package static func run<Result>(
    locations: String = "", _ body: (Nginx) async throws -> Result
  ) async throws -> Result {
    let nginx = try Nginx(locations: locations)
    defer { nginx.stop() }
    return try await body(nginx)
  }

  /// - Parameter root: what is served; `www` in its own folder where there is none.
  package init(serving root: FilePath? = nil, locations: String = "") throws {
    directory = try TemporaryDirectory()
    (securePort, plainPort) = (try freePort(), try freePort())
    let folder = directory.path.string
    let served = root?.string ?? "\(folder)/www"
    try openssl(
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
      "2",
      "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.pem")
    try openssl(
      "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
      "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
    try directory.write("names", "subjectAltName=DNS:localhost\n")
    try openssl(
      "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
      "-days", "2", "-extfile", "names", "-out", "server.pem")
    try directory.write("www/.keep", "")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
    try directory.write(
      "nginx.conf",
      """
      daemon off; master_process off; pid \(folder)/pid; error_log \(folder)/error.log;
      \(getuid() == 0 ? "user root;" : "")
      events { worker_connections 64; }
      http {
        access_log \(folder)/access.log;
        client_body_temp_path \(folder)/t1; proxy_temp_path \(folder)/t2; fastcgi_temp_path \(folder)/t3;
        uwsgi_temp_path \(folder)/t4; scgi_temp_path \(folder)/t5;
        server {
          listen 127.0.0.1:\(securePort) ssl; listen 127.0.0.1:\(plainPort);
          ssl_certificate \(folder)/server.pem; ssl_certificate_key \(folder)/server.key;
          root \(served);
          \(locations)
        }
      }
      """)
    server.executableURL = URL(fileURLWithPath: "/usr/sbin/nginx")
    server.arguments = ["-p", folder, "-c", "\(folder)/nginx.conf", "-e", "\(folder)/error.log"]
    server.standardError = FileHandle.nullDevice
    try server.run()
    // The sockets listen before the file with the process id is there.
    for _ in 0..<200 where !FileManager.default.fileExists(atPath: "\(folder)/pid") {
      usleep(20_000)
    }
    guard server.isRunning else { throw NginxError(text: "nginx does not run") }
  }

  deinit { stop() }

  package func stop() {
    guard server.isRunning else { return }
    // The thread that started it may have blocked gentler signals, which a child inherits.
    kill(server.processIdentifier, SIGKILL)
    server.waitUntilExit()
  }

  struct NginxError: Error { let text: String }

  package func url(_ path: String) -> String { "https://localhost:\(securePort)\(path)" }

  /// The requests' lines with their statuses, in order.
  package var accessLog: [String] {
    let text = try? String(
      contentsOfFile: directory.path.appending("access.log").string, encoding: .utf8)
    return (text ?? "").split(separator: "\n").map(String.init)
  }

  private func openssl(_ arguments: String...) throws {
    let done = try TestSupport.run("openssl", arguments, in: directory.path)
    guard done.status == 0 else { throw NginxError(text: done.stderr) }
  }
}

/// A port that nobody listens on just now.
private func freePort() throws -> Int {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(descriptor) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let result = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
      bind(descriptor, address, length) == 0 ? getsockname(descriptor, address, &length) : -1
    }
  }
  guard result == 0 else { throw Errno(rawValue: errno) }
  return Int(UInt16(bigEndian: address.sin_port))
}
