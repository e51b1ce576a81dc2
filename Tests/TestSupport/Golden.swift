import Foundation
package import SystemPackage
package import Testing

/// The repository that this test was built from.
package let repository: FilePath = FilePath(#filePath).removingLastComponent()
  .removingLastComponent().removingLastComponent()

/// Compares a text with `testdata/<name>`. With `OCIFORGE_RECORD=1` (`make golden`) the file is written
/// instead and the test fails, so that a recording never passes for a check.
package func expectGolden(
  _ name: String, _ text: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let file = repository.appending("testdata").pushing(FilePath(name)).string
  if ProcessInfo.processInfo.environment["OCIFORGE_RECORD"] == "1" {
    try FileManager.default.createDirectory(
      atPath: FilePath(file).removingLastComponent().string, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    Issue.record("recorded \(name)", sourceLocation: sourceLocation)
    return
  }
  let expected = try String(contentsOfFile: file, encoding: .utf8)
  #expect(text == expected, "differs from testdata/\(name)", sourceLocation: sourceLocation)
}
