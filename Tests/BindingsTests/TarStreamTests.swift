import Bindings
import OCISpec
import Testing

@Suite("TarStream") struct TarStreamTests {
  private func tar(_ body: (TarStream) throws -> Void) throws -> [UInt8] {
    var out: [UInt8] = []
    let tar = try TarStream { out += $0 }
    try body(tar)
    try tar.close()
    return out
  }

  private func header(_ path: String, _ kind: TarHeader.Kind, mode: UInt32) -> TarHeader {
    TarHeader(path: Array(path.utf8), kind: kind, mode: mode, uid: 0, gid: 0, mtime: 0)
  }

  @Test("an empty layer is 1,024 zero bytes")
  func empty() throws {
    let bytes = try tar { _ in }
    #expect(bytes == [UInt8](repeating: 0, count: 1024))
    let digest = try Digest.sha256(of: bytes)
    #expect(digest.hex == "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef")
  }

  @Test("a directory and a file have the bytes that an independent encoder gave")
  func twoEntries() throws {
    let bytes = try tar { tar in
      try tar.add(header("etc", .directory, mode: 0o755))
      try tar.finishEntry()
      try tar.add(header("etc/hello", .file(size: 6), mode: 0o644))
      try Array("hello\n".utf8).withUnsafeBytes { try tar.write($0) }
      try tar.finishEntry()
    }
    #expect(bytes.count == 2560)
    let digest = try Digest.sha256(of: bytes)
    #expect(digest.hex.hasPrefix("c252efc7") && digest.hex.hasSuffix("1f5e"))
  }

  @Test("more or fewer bytes than the header announced are refused")
  func wrongLength() throws {
    #expect(throws: (any Error).self) {
      try tar { tar in
        try tar.add(header("a", .file(size: 2), mode: 0o644))
        try Array("abc".utf8).withUnsafeBytes { try tar.write($0) }
      }
    }
    #expect(throws: (any Error).self) {
      try tar { tar in
        try tar.add(header("a", .file(size: 2), mode: 0o644))
        try tar.finishEntry()
      }
    }
  }

  @Test("what the sink throws is what the writer throws")
  func sinkError() throws {
    struct Full: Error {}
    #expect(throws: Full.self) {
      let tar = try TarStream { _ in throw Full() }
      try tar.add(header("a", .directory, mode: 0o755))
    }
  }
}
