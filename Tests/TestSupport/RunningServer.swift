import Foundation
import SystemPackage

/// A server of a test, started with its output in files, that runs until it is stopped or forgotten.
final class RunningServer: @unchecked Sendable {
  private let process = Process()
  private let name: String
  private let logs: [FilePath]

  /// - Parameters:
  ///   - output: the file that takes standard output.
  ///   - errors: the file that takes standard error; shown where the server does not start.
  init(_ program: String, _ arguments: [String], output: FilePath, errors: FilePath) throws {
    name = program
    logs = [output, errors]
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["PATH=\(Self.path)", program] + arguments
    process.standardOutput = try Self.file(output)
    process.standardError = try Self.file(errors)
    try process.run()
  }

  deinit { stop() }

  func stop() {
    guard process.isRunning else { return }
    // The thread that started it may have blocked gentler signals, which a child inherits.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// What `answer` finds once the server is up. Throws with what the server wrote, where it ended or is silent
  /// for ten seconds.
  func wait<Answer>(for answer: () throws -> Answer?) throws -> Answer {
    for _ in 0..<500 where process.isRunning {
      if let found = try answer() { return found }
      usleep(20_000)
    }
    let written = logs.map { (try? text(of: $0)) ?? "" }.joined()
    throw TestFailure("\(name) does not run: \(written)")
  }

  // Servers are in sbin, which a user's PATH may lack.
  private static let path =
    (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin") + ":/usr/sbin:/sbin"

  private static func file(_ path: FilePath) throws -> FileHandle {
    try Data().write(to: URL(fileURLWithPath: path.string))
    return try FileHandle(forWritingTo: URL(fileURLWithPath: path.string))
  }
}

/// What went wrong around a test, in words.
struct TestFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

func text(of file: FilePath) throws -> String {
  try String(contentsOfFile: file.string, encoding: .utf8)
}

func expectSuccess(_ finished: Finished) throws {
  guard finished.status == 0 else { throw TestFailure(finished.stderr) }
}
