import OCISpec
import Testing

@Suite("Canonical JSON")
struct CanonicalJSONTests {
  @Test(
    "has one form for a value",
    arguments: [
      (#" { "b" : [ 1 , true , null ] , "a" : { } } "#, #"{"a":{},"b":[1,true,null]}"#),
      (
        #"{"schemaVersion":2,"mediaType":"m","config":{"size":1,"digest":"d"}}"#,
        #"{"config":{"digest":"d","size":1},"mediaType":"m","schemaVersion":2}"#
      ),
      (#"{"a/b":"<&>\/"}"#, #"{"a/b":"<&>/"}"#),
      (
        #""\u0001\u001F\u0008\u0009\u000a\u000C\u000d\u0022\u005c\u007f\u2028\u00e9""#,
        "\"\\u0001\\u001f\\b\\t\\n\\f\\r\\\"\\\\\u{7f}\u{2028}\u{e9}\""
      ),
      // By UTF-16 code units: U+1F600 is D83D DE00 and comes before U+FB01, whose UTF-8 is smaller.
      (
        #"{"\uFB01":1,"\ud83d\ude00":2,"A":3,"a":4,"aa":5,"":6}"#,
        "{\"\":6,\"A\":3,\"a\":4,\"aa\":5,\"\u{1F600}\":2,\"\u{FB01}\":1}"
      ),
      ("1.50", "1.50"),
    ])
  func canonicalForm(text: String, canonical: String) throws {
    let bytes = CanonicalJSON.encode(try JSON(parsing: text.utf8))
    #expect(String(decoding: bytes, as: UTF8.self) == canonical)
    #expect(CanonicalJSON.encode(try JSON(parsing: bytes)) == bytes)
  }

  @Test("the pretty form is for people and holds the same value")
  func prettyForm() throws {
    let json = try JSON(parsing: #"{"b":[1,{"c":"x"}],"a":{},"e":[]}"#.utf8)
    let pretty = PrettyJSON.encode(json)
    #expect(
      pretty == """
        {
          "b": [
            1,
            {
              "c": "x"
            }
          ],
          "a": {},
          "e": []
        }

        """)
    #expect(try JSON(parsing: pretty.utf8) == json)
  }
}
