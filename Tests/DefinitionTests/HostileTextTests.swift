import Bindings
import Definition
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("Hostile definitions")
struct HostileTextTests {
  @Test("whatever is done to a definition, it is read or refused with a place in it")
  func mutations() throws {
    let original = try FileSystem.readAll(sample("everything.yaml"), limit: 1 << 20)
    let alphabet = Array("{}[]:,-#&*!|>'\"%@`$ \n\t0\u{0}é".utf8)
    var random = SplitMix(seed: 1)
    for _ in 0..<300 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let index = Int.random(in: bytes.indices, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[index] = alphabet.randomElement(using: &random) ?? 0
        case 1: bytes.removeSubrange(index..<min(bytes.count, index + 9))
        default: bytes.insert(contentsOf: bytes.suffix(from: index).prefix(40), at: index)
        }
      }
      do { _ = try ImageDefinition.parse(bytes, file: "image.yaml") } catch {
        let failure = try #require(error as? DefinitionError)
        guard case .invalid(_, let complaints) = failure else {
          Issue.record("\(failure)")
          continue
        }
        #expect(!complaints.isEmpty)
        #expect(complaints.map(\.position) == complaints.map(\.position).sorted())
      }
    }
  }

  @Test("aliases that would grow without bound are refused")
  func aliases() {
    var lines = ["formatVersion: 1", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in 1...9 {
      let alias = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      lines.append("a\(level): &a\(level) [\(alias)]")
    }
    let error = #expect(throws: DefinitionError.self) {
      try parse(lines.joined(separator: "\n"))
    }
    #expect(error?.kind == .data)
    #expect(error?.description.contains("once aliases are expanded") == true)
  }

  @Test("ten thousand mistakes are ten thousand complaints, soon", .timeLimit(.minutes(1)))
  func many() {
    let lines = (0..<10_000).map { "  k\($0): \($0)" }.joined(separator: "\n")
    let text = "formatVersion: 1\nname: x\nplatforms: [linux/amd64]\nannotations:\n" + lines
    let error = #expect(throws: DefinitionError.self) { try parse(text) }
    guard case .invalid(_, let complaints) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(complaints.count == 10_000)
  }
}
