import Definition
import Testing

@Suite("Glob")
struct GlobTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let pattern: String
    let matching: [String]
    let others: [String]
    var testDescription: String { pattern }
  }

  @Test("a pattern matches these and not those", arguments: cases)
  func matches(_ example: Case) throws {
    let glob = try Glob(parsing: example.pattern)
    for path in example.matching { #expect(glob.matches(Array(path.utf8)), "\(path)") }
    for path in example.others { #expect(!glob.matches(Array(path.utf8)), "\(path)") }
  }

  static let cases = [
    Case(pattern: "a", matching: ["a", "a/b", "x/a", "x/a/b"], others: ["", "ab", "b/ab", "A"]),
    Case(
      pattern: "*.md", matching: ["a.md", ".md", "x/y/b.md", "c.md/x"], others: ["a.mdx", "md"]),
    Case(pattern: "/a", matching: ["a", "a/b"], others: ["x/a"]),
    Case(pattern: "a/b", matching: ["a/b", "a/b/c"], others: ["a", "x/a/b", "a/x/b", "a/bc"]),
    Case(pattern: "a/*", matching: ["a/b", "a/.b", "a/b/c"], others: ["a", "b/a"]),
    Case(pattern: "a/*/c", matching: ["a/b/c"], others: ["a/c", "a/b/b/c"]),
    Case(pattern: "**", matching: ["a", "a/b"], others: [""]),
    Case(pattern: "**/a", matching: ["a", "x/a", "x/y/a/b"], others: ["x/ab"]),
    Case(pattern: "a/**", matching: ["a/b", "a/b/c"], others: ["a", "ab"]),
    Case(pattern: "a/**/b", matching: ["a/b", "a/x/b", "a/x/y/b/c"], others: ["a/xb", "x/a/b"]),
    Case(pattern: "**/a/**/b", matching: ["a/b", "a/a/b", "x/a/y/b"], others: ["a", "b/a"]),
    Case(pattern: "a**b", matching: ["ab", "axb"], others: ["a/b"]),
    Case(pattern: "?", matching: ["a", "é", "€", "x/😀"], others: ["ab", ""]),
    Case(pattern: "[a-cx]", matching: ["a", "c", "x"], others: ["d", "ab", "-"]),
    Case(pattern: "[!a-c]", matching: ["d", "é"], others: ["a", "dd"]),
    Case(pattern: "[]^-]", matching: ["]", "^", "-"], others: ["a"]),
    Case(pattern: #"\*\[\\"#, matching: [#"*[\"#], others: ["a[b"]),
    Case(pattern: "*a*b*c", matching: ["abc", "xaybzc", "aabbcc"], others: ["acb", "abcd"]),
    Case(pattern: "café", matching: ["café"], others: ["cafe\u{301}"]),
  ]

  @Test("bytes that are not UTF-8 are bytes")
  func rawBytes() throws {
    #expect(try Glob(parsing: "a*").matches([0x61, 0xFF, 0xFE]))
    #expect(try Glob(parsing: "?").matches([0xFF]))
    #expect(try !Glob(parsing: "?").matches([0x80, 0x80]))
  }

  @Test("a pattern that backtracks badly elsewhere ends at once here", .timeLimit(.minutes(1)))
  func hostile() throws {
    let glob = try Glob(parsing: String(repeating: "*a", count: 60) + "b")
    #expect(!glob.matches([UInt8](repeating: 0x61, count: 250)))
    let deep = try Glob(parsing: String(repeating: "**/a/", count: 60) + "b")
    #expect(
      !deep.matches(Array(repeating: "a", count: 2000).joined(separator: "/").utf8.map { $0 }))
  }

  @Test(
    "a broken pattern is refused",
    arguments: [
      ("", GlobError.Problem.endsInSlash), ("a/", .endsInSlash), ("/", .endsInSlash),
      ("a//b", .dotComponent), ("./a", .dotComponent), ("a/..", .dotComponent),
      ("[a", .openClass), ("[]", .openClass), ("[z-a]", .badRange), ("[é]", .badRange),
      ("a\\", .endsInBackslash),
    ])
  func broken(_ pattern: String, _ problem: GlobError.Problem) {
    let error = #expect(throws: GlobError.self) { try Glob(parsing: pattern) }
    #expect(error?.problem == problem)
  }
}
