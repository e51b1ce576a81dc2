import Foundation
import SystemPackage
import TestSupport
import Testing

/// SwiftPM builds a target whose sources import what it does not declare, as long as something else was built
/// before it; so the arrows of docs and manifest are held here.
@Suite("imports") struct ImportTests {
  /// Modules of the toolchain that every target may import.
  private static let toolchain: Set = ["FoundationEssentials", "Synchronization"]
  private static let libraryC: Set = ["Glibc", "Musl", "Darwin"]

  private struct Target {
    let name: String
    let folder: FilePath
    let isSystem: Bool
    let dependencies: Set<String>
  }

  private struct Import: CustomStringConvertible {
    let module: String
    let place: String
    var description: String { "\(place): \(module)" }
  }

  @Test(
    "a target imports only what it declares in the manifest, and only Bindings declares C",
    .enabled(if: peers("swift")))
  func arrows() throws {
    let targets = try declaredTargets()
    let folders = try FileManager.default.contentsOfDirectory(
      atPath: repository.appending("Sources").string)
    #expect(Set(targets.map(\.name)) == Set(folders), "the folders of Sources are the targets")
    let system = Set(targets.filter(\.isSystem).map(\.name))
    try #require(!system.isEmpty)
    for target in targets where !target.isSystem {
      let isBindings = target.name == "Bindings"
      let allowed = target.dependencies.union(Self.toolchain).union(isBindings ? Self.libraryC : [])
      let foreign = try imports(below: target.folder).filter { !allowed.contains($0.module) }
      #expect(foreign.isEmpty, "\(target.name) imports what it does not declare")
      #expect(isBindings || target.dependencies.isDisjoint(with: system), "\(target.name)")
    }
  }

  @Test("no source imports all of Foundation")
  func foundation() throws {
    let all = try imports(below: repository.appending("Sources"))
    try #require(!all.isEmpty)
    #expect(all.filter { $0.module == "Foundation" }.isEmpty)
  }

  @Test(
    "an import is seen in every form that Swift has",
    arguments: [
      ("import A", "A"), ("package import A", "A"), ("@testable import A", "A"),
      ("@preconcurrency package import A", "A"), ("import struct A.B", "A"),
      ("  import A // why", "A"),
      ("@_spi(Test) import A", "A"), ("import A.B", "A"), ("/// import A", nil),
      ("let text = \"import A\"", nil), ("important A", nil),
    ] as [(String, String?)])
  func forms(_ line: String, _ module: String?) { #expect(Self.module(in: line) == module) }

  /// What `Package.swift` declares of everything below Sources, as SwiftPM reads it.
  private func declaredTargets() throws -> [Target] {
    let scratch = try TemporaryDirectory()
    // Another scratch folder, because the `swift test` that runs this has locked its own.
    let finished = try run(
      "swift", ["package", "--scratch-path", scratch.path.string, "dump-package"], in: repository)
    try #require(finished.status == 0, "\(finished.stderr)")
    let manifest = try JSONSerialization.jsonObject(with: Data(finished.stdout)) as? [String: Any]
    let declared = try #require(manifest?["targets"] as? [[String: Any]])
    let targets = try declared.compactMap { target -> Target? in
      let type = try #require(target["type"] as? String)
      let name = try #require(target["name"] as? String)
      // TestSupport is a target outside of Sources.
      guard type != "test", target["path"] as? String == nil else { return nil }
      let dependencies = try #require(target["dependencies"] as? [[String: Any]])
      return Target(
        name: name, folder: repository.appending("Sources").appending(name),
        isSystem: type == "system",
        // Each is one key, such as "byName", with a list that begins with the name.
        dependencies: Set(dependencies.compactMap { ($0.values.first as? [Any])?.first as? String })
      )
    }
    try #require(!targets.isEmpty)
    return targets
  }

  private func imports(below folder: FilePath) throws -> [Import] {
    let files = try #require(FileManager.default.enumerator(atPath: folder.string))
    return try files.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }.sorted()
      .flatMap { name in
        let path = folder.appending(name).string
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(
          separator: "\n", omittingEmptySubsequences: false)
        return lines.enumerated().compactMap { number, line in
          Self.module(in: String(line)).map {
            Import(
              module: $0,
              place: "\(path.dropFirst(repository.string.utf8.count + 1)):\(number + 1)")
          }
        }
      }
  }

  private static func module(in line: String) -> String? {
    // Regular expressions are slow without the optimiser.
    guard line.contains("import") else { return nil }
    let form =
      #/^\s*(@\w+(\([^)]*\))?\s+)*((public|package|internal|fileprivate|private)\s+)?import\s+((struct|class|enum|protocol|typealias|func|var|let)\s+)?(?<module>\w+)/#
    return line.firstMatch(of: form).map { String($0.output.module) }
  }
}
