import Foundation
package import SystemPackage

/// Debian's nginx on loopback, with TLS by a private authority that `openssl` makes, and plain http.
package final class Nginx: Sendable {
  package let directory: TemporaryDirectory
  package let securePort: Int
  package let plainPort: Int
  private let server: RunningServer
  private let certification: PrivateAuthority

  /// The certificate that clients must trust.
  package var authority: FilePath { certification.certificate }

  /// Starts it, runs `body`, stops it.
  package static func run<Result>(
    names: [String] = ["localhost"], locations: String = "", days: Int = 2,
    _ body: (Nginx) async throws -> Result
  ) async throws -> Result {
    let nginx = try Nginx(names: names, locations: locations, days: days)
    defer { nginx.stop() }
    return try await body(nginx)
  }

  /// - Parameters:
  ///   - root: what is served; `www` in its own folder where there is none.
  ///   - names: of its certificate.
  ///   - days: how long its certificate is good.
  package init(
    serving root: FilePath? = nil, names: [String] = ["localhost"], locations: String = "",
    days: Int = 2
  ) throws {
    directory = try TemporaryDirectory()
    (securePort, plainPort) = (try freePort(), try freePort())
    let folder = directory.path.string
    let served = root?.string ?? "\(folder)/www"
    certification = try PrivateAuthority(in: directory.path)
    let identity = try certification.issue(
      "server", for: names.map { "DNS:\($0)" }.joined(separator: ","), days: days)
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
          ssl_certificate \(identity.certificate); ssl_certificate_key \(identity.key);
          root \(served);
          \(locations)
        }
      }
      """)
    server = try RunningServer(
      "nginx", ["-p", folder, "-c", "\(folder)/nginx.conf", "-e", "\(folder)/error.log"],
      output: directory.path.appending("output"), errors: directory.path.appending("errors"))
    // The sockets listen before the file with the process id is there.
    try server.wait { FileManager.default.fileExists(atPath: "\(folder)/pid") ? () : nil }
  }

  package func stop() { server.stop() }

  package func url(_ path: String) -> String { "https://localhost:\(securePort)\(path)" }

  /// The requests' lines with their statuses, in order.
  package var accessLog: [String] {
    let text = try? String(
      contentsOfFile: directory.path.appending("access.log").string, encoding: .utf8)
    return (text ?? "").split(separator: "\n").map(String.init)
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
