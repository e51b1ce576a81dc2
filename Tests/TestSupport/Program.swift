import Foundation
package import SystemPackage
import Testing

/// A program that has run to its end.
package struct Finished: Sendable {
  package let status: Int32
  package let stdout: [UInt8]
  package let stderr: String

  package var output: String { String(decoding: stdout, as: UTF8.self) }
}

/// Runs a program to its end and takes what it wrote. Its environment is this process's with `environment`
/// over it (`nil` removes a variable).
package func run(
  _ program: String, _ arguments: [String] = [], environment: [String: String?] = [:],
  in directory: FilePath? = nil, input: [UInt8] = []
) throws -> Finished {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [program] + arguments
  process.environment = ProcessInfo.processInfo.environment.merging(
    environment.compactMapValues { $0 }, uniquingKeysWith: { $1 }
  ).filter { environment[$0.key] != .some(nil) }
  if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory.string) }
  let stdout = Pipe(), stderr = Pipe(), stdin = Pipe()
  process.standardOutput = stdout
  process.standardError = stderr
  process.standardInput = stdin
  try process.run()
  try? stdin.fileHandleForWriting.write(contentsOf: Data(input))
  try? stdin.fileHandleForWriting.close()
  let errors = Collected()
  let reader = Thread { errors.finish(stderr.fileHandleForReading.readDataToEndOfFile()) }
  reader.start()
  let out = stdout.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return Finished(
    status: process.terminationReason == .exit
      ? process.terminationStatus : 128 + process.terminationStatus,
    stdout: Array(out), stderr: String(decoding: errors.wait(), as: UTF8.self))
}

/// Bytes handed from one thread to another, once.
private final class Collected: @unchecked Sendable {
  private let done = DispatchSemaphore(value: 0)
  private var data = Data()

  func finish(_ data: Data) {
    self.data = data
    done.signal()
  }

  func wait() -> Data {
    done.wait()
    return data
  }
}

/// Whether every one of these programs is installed. Where one is not, a test is skipped at a desk and fails
/// in CI (`CI=true`): use as `.enabled(if: peers("skopeo"))`.
package func peers(_ programs: String...) -> Bool {
  let path = (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin:/sbin"
  let missing = programs.filter { program in
    !path.split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
    }
  }
  guard !missing.isEmpty else { return true }
  if ProcessInfo.processInfo.environment["CI"] == "true" {
    Issue.record(
      "missing test peers in CI: \(missing.joined(separator: ", ")); run `make deps-test`")
  }
  return false
}
