import Foundation
import SystemPackage
import TestSupport
import Testing

/// `ociforge serve` as a process of its own. It goes with this value.
final class Served {
  private let process = Process()
  private let errors: FilePath
  let address: String

  /// Waits until it listens.
  init(_ room: Room, _ layout: String, _ options: String...) throws {
    errors = try room.directory.write("stderr-\(UUID().uuidString)", "")
    // Foundation's children are born with signals blocked; python3 sets them free.
    let free =
      "import os, signal, sys; signal.pthread_sigmask(signal.SIG_SETMASK, []); os.execv(sys.argv[1], sys.argv[1:])"
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      ["python3", "-c", free, room.program, "serve", layout, "--port", "0"] + options
    process.currentDirectoryURL = URL(fileURLWithPath: room.path.string)
    let out = Pipe()
    process.standardOutput = out
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors.string))
    try process.run()
    var line: [UInt8] = []
    while let byte = try out.fileHandleForReading.read(upToCount: 1)?.first, byte != 0x0A {
      line.append(byte)
    }
    address = String(decoding: line, as: UTF8.self)
    try #require(!address.isEmpty, "\(stderr)")
  }

  deinit {
    guard process.isRunning else { return }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  var stderr: String { (try? String(contentsOfFile: errors.string, encoding: .utf8)) ?? "" }

  /// Sends a signal, waits for the end and gives the exit code.
  func end(_ signal: Int32) throws -> Int32 {
    kill(process.processIdentifier, signal)
    for _ in 0..<500 where process.isRunning { usleep(20_000) }
    try #require(!process.isRunning, "it goes on after signal \(signal)")
    try #require(process.terminationReason == .exit)
    return process.terminationStatus
  }

  /// In KiB.
  func peakResidentSize() throws -> Int {
    let status = try String(
      contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
    let match = try #require(status.firstMatch(of: /VmHWM:\s+(\d+) kB/))
    return try #require(Int(match.1))
  }
}

extension Room {
  /// `skopeo copy` over plain HTTP.
  func copy(_ arguments: String...) throws { try copy(arguments) }

  func copy(_ arguments: [String]) throws {
    let plain = ["copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false"]
    let finished = try run("skopeo", plain + arguments, in: path)
    try #require(finished.status == 0, "\(arguments): \(finished.stderr)")
  }
}
