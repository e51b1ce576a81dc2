import OCISpec
import Testing

@Suite("JSON parser")
struct JSONParserTests {
  @Test(
    "accepts what RFC 8259 allows and keeps the values",
    arguments: [
      ("null", .null), (" true ", .bool(true)), ("false", .bool(false)), ("0", .integer(0)),
      ("-0", .integer(0)), ("9223372036854775807", .integer(.max)),
      ("-9223372036854775808", .integer(.min)),
      ("9223372036854775808", .decimal("9223372036854775808")), ("1.50", .decimal("1.50")),
      ("1e5", .decimal("1e5")), ("1E-05", .decimal("1E-05")), (#""""#, ""), (#""a\/b""#, "a/b"),
      (#""\"\\\b\f\n\r\t""#, "\"\\\u{8}\u{c}\n\r\t"), (#""\u00e9""#, "\u{e9}"),
      (#""\uD83D\ude00""#, "😀"), (#""\u0000""#, "\0"), (#""😀 é""#, "😀 é"), ("[]", .array([])),
      ("[1,[2] , {}]", .array([.integer(1), .array([.integer(2)]), .object([:])])),
      (#"{"b":1,"a":null}"#, .object(["b": .integer(1), "a": .null])),
      ("\t\r\n {} \n", .object([:])),
    ] as [(String, JSON)])
  func accepts(text: String, value: JSON) throws {
    #expect(try JSON(parsing: text.utf8) == value)
  }

  @Test(
    "refuses what is not I-JSON, and says at which byte",
    arguments: [
      ("", "unexpected end", 0), (" ", "unexpected end", 1),
      ("nul", "unexpected character", 0), ("'a'", "unexpected character", 0),
      ("1 2", "unexpected text after the document", 2),
      ("01", "unexpected text after the document", 1), ("-", "expected a digit", 1),
      ("+1", "unexpected character", 0), ("1.", "expected a digit", 2),
      (".5", "unexpected character", 0), ("1e", "expected a digit", 2),
      ("NaN", "unexpected character", 0), ("[1", #"expected "," or "]""#, 2),
      ("[1,]", "unexpected character", 3), ("[,1]", "unexpected character", 1),
      ("{", "expected a key in double quotes", 1),
      (#"{"a":1,}"#, "expected a key in double quotes", 7),
      ("{a:1}", "expected a key in double quotes", 1),
      (#"{"a" 1}"#, #"expected ":" after a key"#, 5), (#"{"a":1"#, #"expected "," or "}""#, 6),
      (#"{"a":1,"a":2}"#, #"duplicate key "a""#, 10),
      (#"{"a":1,"\u0061":2}"#, #"duplicate key "a""#, 15),
      (#""a"#, "unexpected end in a string", 2),
      ("\"a\nb\"", "a control character in a string", 2), (#""\x""#, "an unknown escape", 3),
      (#""\u12g4""#, "expected four hexadecimal digits", 5),
      (#""\ud800""#, "half of a surrogate pair", 7),
      (#""\ud800\u0041""#, "half of a surrogate pair", 13),
      (#""\udc00""#, "half of a surrogate pair", 7), ("// no\n1", "unexpected character", 0),
      ("\u{FEFF}{}", "unexpected character", 0),
    ])
  func refuses(text: String, problem: String, offset: Int) {
    #expect(throws: JSONError(problem: problem, offset: offset)) {
      try JSON(parsing: text.utf8)
    }
  }

  @Test("refuses a string that is not UTF-8")
  func refusesOtherEncodings() {
    for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] {
      #expect(throws: JSONError(problem: "a string that is not UTF-8", offset: 1 + bytes.count)) {
        try JSON(parsing: [0x22] + bytes + [0x22])
      }
    }
  }

  @Test("stops at 128 levels, and before the stack does")
  func refusesDepth() throws {
    let deepest = String(repeating: "[", count: 127) + "1" + String(repeating: "]", count: 127)
    #expect(try JSON(parsing: deepest.utf8).arrayValue?.count == 1)
    #expect(throws: JSONError(problem: "nested deeper than 128 levels", offset: 128)) {
      try JSON(parsing: String(repeating: "[", count: 1_000_000).utf8)
    }
  }

  @Test("keys that Swift holds for equal are two keys where their bytes differ")
  func comparesKeysByBytes() throws {
    let json = try JSON(parsing: Array("{\"\u{e9}\":1,\"e\u{301}\":2}".utf8))
    #expect(json.objectValue?.keys.count == 2)
    #expect(json["e\u{301}"] == .integer(2))
    let reversed = try JSON(parsing: Array("{\"e\u{301}\":1,\"\u{e9}\":2}".utf8))
    #expect(json != reversed)
  }
}
