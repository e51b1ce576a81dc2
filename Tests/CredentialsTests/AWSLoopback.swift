import Foundation
import FoundationNetworking
import SystemPackage

@testable import Credentials

/// Sends requests for real, to loopback.
let loopbackExchange: ServiceExchange = { request in
  guard let url = URL(string: request.url) else { throw NoAnswer(.unknownHost, request.url) }
  var outgoing = URLRequest(url: url)
  outgoing.httpMethod = request.method
  for header in request.headers { outgoing.addValue(header.value, forHTTPHeaderField: header.name) }
  if !request.body.isEmpty { outgoing.httpBody = Data(request.body) }
  let (data, response) = try await URLSession.shared.data(for: outgoing)
  guard let response = response as? HTTPURLResponse else { throw NoAnswer(.interrupted, "no HTTP") }
  return ServiceResponse(
    status: response.statusCode,
    headers: response.allHeaderFields.map { ("\($0.key)", "\($0.value)") }, body: Array(data))
}

/// An HTTP server on loopback for requests without a body, one connection each.
final class LoopbackServer: Sendable {
  let port: Int
  private let listener: Int32

  /// - Parameter answer: gets the request's head and gives status line and body, `200 OK\r\n\r\nbody`.
  static func run(
    _ answer: @escaping @Sendable (String) -> String,
    body: (LoopbackServer) async throws -> Void
  ) async throws {
    let server = try LoopbackServer(answer)
    defer { server.stop() }
    try await body(server)
  }

  private init(_ answer: @escaping @Sendable (String) -> String) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(listener, address, length) == 0 && listen(listener, 8) == 0
          ? getsockname(listener, address, &length) : -1
      }
    }
    guard result == 0 else { throw Errno(rawValue: errno) }
    self.listener = listener
    port = Int(UInt16(bigEndian: address.sin_port))
    Thread {
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        Self.serve(connection, answer)
      }
    }.start()
  }

  private func stop() {
    // Wakes the thread that waits in accept.
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  private static func serve(_ connection: Int32, _ answer: (String) -> String) {
    defer { close(connection) }
    var head: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !head.suffix(4).elementsEqual("\r\n\r\n".utf8), head.count < 1 << 16 {
      let count = recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return }
      head += buffer.prefix(count)
    }
    let parts = answer(String(decoding: head, as: UTF8.self)).components(separatedBy: "\r\n\r\n")
    let body = parts[1...].joined(separator: "\r\n\r\n")
    let text =
      "HTTP/1.1 \(parts[0])\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    _ = Array(text.utf8).withUnsafeBytes {
      send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
  }
}
