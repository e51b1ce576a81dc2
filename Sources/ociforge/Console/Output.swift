import Bindings
import OCILayout
import SystemPackage

/// Runs `body` with a sink for an archive, which never goes to a terminal; else as ``withOutput(_:_:)``.
func withArchiveOutput(
  _ name: String, _ body: (@escaping ArchiveWriter.Sink) throws -> Void
) throws {
  if name == "-" && ProcessState.isTerminal(1) { throw UsageError.archiveToTerminal }
  try withOutput(name, body)
}

/// Runs `body` with a sink for a file that appears under its name complete, synced and only when `body` is
/// done; `-` is stdout.
func withOutput(_ name: String, _ body: (@escaping ArchiveWriter.Sink) throws -> Void) throws {
  guard name != "-" else {
    return try body {
      try FileSystem.writeAll(.standardOutput, $0, path: "standard output")
    }
  }
  let path = FilePath(name)
  let folder = path.removingLastComponent()
  guard try FileSystem.status(of: folder.isEmpty ? "." : folder) != nil else {
    throw FileError("writing", path, .noSuchFileOrDirectory)
  }
  try OutputFile.write(path, body)
}

/// Writes a small file at once, by the same rules.
func writeFile(_ path: FilePath, _ text: String) throws {
  try withOutput(path.string) { sink in try Array(text.utf8).withUnsafeBytes { try sink($0) } }
}

extension FileError {
  /// Whether the reader of our stdout went away.
  var isClosedPipe: Bool { errno == .brokenPipe && path == "standard output" }
}
