import OCISpec
import Testing

@Suite("Platform")
struct PlatformTests {
  @Test(
    "parses Go's spelling",
    arguments: ["linux/amd64", "linux/arm/v7", "windows/amd64", "linux/386"])
  func parses(text: String) throws { #expect(try Platform(parsing: text).description == text) }

  @Test(
    "refuses what is no platform",
    arguments: [
      "", "linux", "linux/", "/amd64", "linux/amd64/", "linux/arm/v7/x", "Linux/amd64",
      "linux/amd 64", "linux//v7",
    ])
  func refuses(text: String) {
    #expect(throws: PlatformError.malformed(text)) { try Platform(parsing: text) }
  }

  @Test(
    "knows what the machine's own name for an architecture is called in images",
    arguments: [
      ("linux/x86_64", "linux/amd64"), ("linux/aarch64", "linux/arm64"),
      ("linux/armhf", "linux/arm/v7"),
    ])
  func suggests(text: String, suggestion: String) {
    #expect(throws: PlatformError.alias(text, suggestion: suggestion)) {
      try Platform(parsing: text)
    }
  }

  @Test("sorts by operating system, architecture, variant, bytewise")
  func order() throws {
    let sorted = [
      "linux/386", "linux/amd64", "linux/arm/v6", "linux/arm/v7", "linux/arm64", "windows/amd64",
    ]
    #expect(
      try sorted.reversed().map(Platform.init(parsing:)).sorted().map(\.description) == sorted)
  }

  @Test(
    "matches a platform under its default variant",
    arguments: [
      ("linux/arm64", "linux/arm64/v8", true), ("linux/amd64", "linux/amd64/v1", true),
      ("linux/arm", "linux/arm/v7", true), ("linux/arm/v6", "linux/arm/v7", false),
      ("linux/amd64", "linux/amd64/v3", false), ("linux/amd64", "windows/amd64", false),
      ("linux/amd64", "linux/arm64", false),
    ])
  func matches(left: String, right: String, isMatch: Bool) throws {
    let left = try Platform(parsing: left), right = try Platform(parsing: right)
    #expect(left.matches(right) == isMatch)
    #expect(right.matches(left) == isMatch)
  }
}
