import Testing

@testable import Remote

@Suite("Body of a registry's error")
struct RegistryMessagesTests {
  @Test(
    "S5: says what it says, in whatever form",
    arguments: [
      (
        #"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#,
        "MANIFEST_UNKNOWN: manifest unknown"
      ),
      (#"{"errors":[{"code":"DENIED","message":"no","detail":"why"}]}"#, "DENIED: no (why)"),
      (
        #"{"errors":[{"code":"DENIED","detail":{"a":[1,{"b":null}]}}]}"#,
        #"DENIED ({"a":[1,{"b":null}]})"#
      ),
      (
        #"{"errors":[{"code":"A","detail":7},{"code":"B","detail":null},{"code":"C","detail":{}}]}"#,
        "A (7); B; C"
      ),
      (#"{"errors":[{"message":"no code"}]}"#, "no code"),
      (#"{"errors":[{"code":42,"message":"odd"},null,7,"text",{}]}"#, "odd; text"),
      (#"{"errors":{"code":"X","message":"no list"}}"#, "X: no list"),
      (#"{"errors":null}"#, ""), (#"{"errors":[]}"#, ""), ("", ""), ("{}", ""), ("[]", ""),
      ("null", ""), (" \n", ""),
      (
        #"{"details":"incorrect username or password"}"#,
        "incorrect username or password"
      ),
      (#"{"error":"invalid_grant","error_description":"expired"}"#, "invalid_grant: expired"),
      ("404 page not found\n", "404 page not found"), (#""just text""#, "just text"),
      (
        "<html>\n<head><title>502 Bad\n Gateway</title></head><body>x</body></html>",
        "502 Bad Gateway"
      ),
      ("<HTML><TITLE>Sign in</TITLE>", "Sign in"), ("<html><body>hello</body></html>", ""),
      (#"{"errors":[{"code":"A","code":"B"}]}"#, #"{"errors":[{"code":"A","code":"B"}]}"#),
      (
        #"{"errors":[{"code":"A","message":"\u001b[31mred\n\u202e"}]}"#,
        #"A: \u{1b}[31mred \u{202e}"#
      ),
      ("\u{1B}[2Jgone", #"\u{1b}[2Jgone"#),
    ])
  func forms(body: String, text: String) {
    #expect(RegistryMessages.text(RegistryMessages.parse(Array(body.utf8))) == text)
  }

  @Test("S5: bytes that are no UTF-8 are repaired")
  func invalidUTF8() {
    let body = Array(#"{"errors":[{"code":"A","message":"x"#.utf8) + [0xFF] + Array(#""}]}"#.utf8)
    #expect(
      RegistryMessages.parse(body) == [RegistryMessage(code: "A", message: "x\u{FFFD}")])
    #expect(RegistryMessages.text(RegistryMessages.parse([0xFF, 0xFE])) == "\u{FFFD}\u{FFFD}")
  }

  @Test("S5: whatever the size, the text is short")
  func bounded() {
    let long = String(repeating: "long ", count: 50_000)
    let error = #"{"code":"A","message":"\#(long.prefix(3000))","detail":"\#(long.prefix(3000))"}"#
    let nested = String(repeating: "[", count: 100_000)
    for body in [
      long, #"{"errors":[\#(error)]}"#, nested, #"{"errors":[{"code":"\#(long)"}]}"#,
      #"{"errors":[\#(Array(repeating: #"{"code":"A"}"#, count: 3000).joined(separator: ","))]}"#,
      #"{"errors":[\#(Array(repeating: error, count: 8).joined(separator: ","))]}"#,
    ] {
      let messages = RegistryMessages.parse(Array(body.utf8))
      #expect((1...16).contains(messages.count))
      let text = RegistryMessages.text(messages)
      #expect(!text.isEmpty && text.unicodeScalars.count <= 1025)
    }
  }
}
