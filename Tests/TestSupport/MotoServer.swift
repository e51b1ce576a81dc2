import Foundation

/// moto's AWS on loopback, at a port of the system's choice.
package final class MotoServer: @unchecked Sendable {
  package let url: String
  private let server = Process()

  /// Starts it, runs `body`, stops it.
  package static func run<Result>(_ body: (MotoServer) async throws -> Result) async throws
    -> Result
  {
    let moto = try MotoServer()
    defer { moto.stop() }
    return try await body(moto)
  }

  package init() throws {
    let output = Pipe()
    server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    server.arguments = ["moto_server", "-H", "127.0.0.1", "-p", "0"]
    server.standardInput = FileHandle.nullDevice
    server.standardOutput = FileHandle.nullDevice
    server.standardError = output
    try server.run()
    // It says where it listens once it does.
    let lead = "Running on "
    var text = ""
    while !text.contains(lead) || !(text.components(separatedBy: lead).last ?? "").contains("\n") {
      let bytes = output.fileHandleForReading.availableData
      guard !bytes.isEmpty else { throw MotoServerError(text: text) }
      text += String(decoding: bytes, as: UTF8.self)
    }
    url = String((text.components(separatedBy: lead).last ?? "").prefix { !$0.isWhitespace })
    // What it logs later must not fill the pipe.
    output.fileHandleForReading.readabilityHandler = { _ = $0.availableData }
  }

  deinit { stop() }

  package func stop() {
    guard server.isRunning else { return }
    // The thread that started it may have blocked gentler signals, which a child inherits.
    kill(server.processIdentifier, SIGKILL)
    server.waitUntilExit()
  }

  struct MotoServerError: Error { let text: String }
}
