import Foundation
package import SystemPackage

/// Makes a symlink whose target is any bytes.
package func createSymlink(_ path: FilePath, target: [UInt8]) throws {
  let text = target.map(CChar.init(bitPattern:)) + [0]
  let result = path.withPlatformString { symlink(text, $0) }
  guard result == 0 else { throw Errno(rawValue: errno) }
}

/// A fresh folder that goes with this value.
package final class TemporaryDirectory: Sendable {
  package let path: FilePath

  package init() throws {
    let base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    var template = Array("\(base)/ociforge-test.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
    path = FilePath(
      String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
  }

  deinit {
    _ = try? FileManager.default.removeItem(atPath: path.string)
  }

  /// Writes a file below the folder, with the folders above it.
  @discardableResult
  package func write(_ name: String, _ bytes: some Sequence<UInt8>, mode: Int = 0o644) throws
    -> FilePath
  {
    let file = path.appending(name)
    try FileManager.default.createDirectory(
      atPath: file.removingLastComponent().string, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: file.string))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.string)
    return file
  }

  @discardableResult
  package func write(_ name: String, _ text: String, mode: Int = 0o644) throws -> FilePath {
    try write(name, text.utf8, mode: mode)
  }
}
