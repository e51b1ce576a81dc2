import OCISpec
import Testing

@Suite("Digest")
struct DigestTests {
  private let hex = String(repeating: "0a", count: 32)

  @Test("parses the registered algorithms and prints what it parsed")
  func parses() throws {
    for text in ["sha256:\(hex)", "sha512:\(hex)\(hex)"] {
      #expect(try Digest(parsing: text).description == text)
      #expect(try DiffID(parsing: text).description == text)
    }
  }

  @Test("refuses every other spelling, as the text becomes part of paths")
  func refuses() {
    let table: [(String, DigestError)] = [
      ("", .noAlgorithm("")), (hex, .noAlgorithm(hex)), (":\(hex)", .unknownAlgorithm(":\(hex)")),
      ("md5:0a", .unknownAlgorithm("md5:0a")),
      ("SHA256:\(hex)", .unknownAlgorithm("SHA256:\(hex)")),
      ("sha256:", .notHexadecimal("", .sha256)), ("sha256:0a", .notHexadecimal("0a", .sha256)),
      ("sha256:\(hex)0", .notHexadecimal("\(hex)0", .sha256)),
      ("sha512:\(hex)", .notHexadecimal(hex, .sha512)),
      ("sha256:\(hex.uppercased())", .notHexadecimal(hex.uppercased(), .sha256)),
      ("sha256:../\(hex.dropLast(3))", .notHexadecimal("../\(hex.dropLast(3))", .sha256)),
      ("sha256:\(hex)\n", .notHexadecimal("\(hex)\n", .sha256)),
    ]
    for (text, error) in table {
      #expect(throws: error) { try Digest(parsing: text) }
    }
  }

  @Test("bytes become two digits each")
  func fromBytes() {
    #expect(Digest(.sha256, bytes: (0..<32).map { $0 }).hex.hasPrefix("000102030405060708090a0b"))
  }
}
