import Foundation
import SystemPackage

/// A client on a plain socket that sends exactly what it is told to. It waits on threads of its own: the
/// server in the same process needs those of the tests.
final class Wire: Sendable {
  private let socket: Int32

  init(_ port: Int) throws {
    socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw Errno(rawValue: errno) }
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(
      socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(socket) }

  /// - Returns: whether all of it was taken.
  @discardableResult
  func send(_ text: String) async -> Bool { await waiting { self.sendNow(text) } }

  private func sendNow(_ text: String) -> Bool {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes {
        Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      bytes = bytes.dropFirst(count)
    }
    return true
  }

  func finish() { shutdown(socket, Int32(SHUT_WR)) }

  /// How a connection ended.
  enum End: Equatable, Sendable { case closed, reset, silent }

  /// Everything until the end, and how it ended.
  func readAll() async -> (text: String, end: End) { await waiting { self.readAllNow() } }

  private func readAllNow() -> (text: String, end: End) {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = recv(socket, &buffer, buffer.count, 0)
      if count > 0 {
        bytes += buffer[..<count]
      } else {
        let end: End = count == 0 ? .closed : errno == ECONNRESET ? .reset : .silent
        return (String(decoding: bytes, as: UTF8.self), end)
      }
    }
  }

  /// What comes until `mark` has come.
  func read(until mark: String) async -> String { await waiting { self.readNow(until: mark) } }

  private func readNow(until mark: String) -> String {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while !bytes.suffix(mark.utf8.count).elementsEqual(mark.utf8) {
      guard recv(socket, &byte, 1, 0) == 1 else { break }
      bytes.append(byte)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// How long to wait for something that is not to come.
  func isSilent(milliseconds: Int) async -> Bool {
    await waiting {
      var wait = pollfd(fd: self.socket, events: Int16(POLLIN), revents: 0)
      return poll(&wait, 1, Int32(milliseconds)) == 0
    }
  }

  private func waiting<Result: Sendable>(
    _ body: @escaping @Sendable () -> Result
  ) async -> Result {
    await withCheckedContinuation { continuation in
      Thread { continuation.resume(returning: body()) }.start()
    }
  }
}

/// Sends a request, waits for the connection's end and gives everything that came.
func exchange(_ port: Int, _ request: String) async throws -> (text: String, end: Wire.End) {
  let wire = try Wire(port)
  await wire.send(request)
  return await wire.readAll()
}
