import Testing

@testable import Definition

@Suite("Scalars")
struct ScalarTests {
  @Test(
    "a plain scalar means what YAML 1.2's core schema says",
    arguments: [
      ("", PlainScalar.null), ("~", .null), ("null", .null), ("NULL", .null), ("nULL", .text),
      ("true", .boolean(true)), ("False", .boolean(false)), ("yes", .text), ("on", .text),
      ("0", .integer(0)), ("0644", .integer(644)), ("-12", .integer(-12)), ("+3", .integer(3)),
      ("0o17", .integer(15)), ("0x1F", .integer(31)), ("0o8", .text), ("0x", .text),
      ("-0x1", .text), ("0x-1", .text), ("1_000", .text),
      ("9223372036854775808", .integer(nil)), ("1.10", .float), (".5", .float), ("5.", .float),
      ("1e3", .float), ("-1.5E+3", .float), ("1e", .text), (".", .text), ("-", .text),
      ("e3", .text),
      (".inf", .float), ("-.INF", .float), (".nan", .float), ("-.nan", .text), ("1.2.3", .text),
      ("10001:10001", .text), ("2025-07-15", .text), ("1-2", .text),
    ])
  func core(_ text: String, _ meaning: PlainScalar) {
    #expect(PlainScalar(text) == meaning)
  }

  @Test(
    "parameters are expanded, and a lone dollar stays",
    arguments: [
      ("plain", "plain"), ("${a}", "A"), ("x${a}y${b}z", "xAy${a}z"), ("$$", "$"),
      ("$${a}", "${a}"),
      ("$$${a}", "$A"), ("$a $ $1 $", "$a $ $1 $"), ("{a}", "{a}"), ("é${a}\u{301}", "éA\u{301}"),
      ("${arch}", "amd64"), ("$\u{301}", "$\u{301}"),
    ])
  func expansion(_ source: String, _ text: String) {
    let scope = Scope.image(
      Scope.ImageScope(parameters: ["a": "A", "b": "${a}"], platform: nil, declared: nil))
    #expect(Expansion(source, in: scope).text == text)
    #expect(Expansion(source, in: scope).problems.isEmpty)
    #expect(Expansion(source, in: .literal).text == source)
  }

  @Test(
    "durations are Go's",
    arguments: [
      ("30s", 30_000_000_000), ("1m30s", 90_000_000_000), ("500ms", 500_000_000), ("0", 0),
      ("0s", 0), ("1.5h", 5_400_000_000_000), ("1ms", 1_000_000), ("2000µs", 2_000_000),
      ("1000000ns", 1_000_000), ("0.0000001h", nil), ("1us", nil), ("", nil), ("30", nil),
      ("s", nil), ("-1s", nil), ("1.s", nil), (".5s", nil), ("1d", nil), ("1s ", nil),
      ("9999999999h", nil), ("2562047h9999999h", nil),
    ] as [(String, Int64?)])
  func durations(_ text: String, _ nanoseconds: Int64?) {
    #expect(HealthcheckDuration.nanoseconds(text) == nanoseconds)
  }

  @Test(
    "times are UTC on a day that exists",
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59Z", -1),
      ("2000-02-29T12:00:00Z", 951_825_600),
      ("2025-07-15T00:00:00Z", 1_752_537_600), ("2100-03-01T00:00:00Z", 4_107_542_400),
      ("2242-03-16T12:56:31Z", 8_589_934_591), ("2100-02-29T00:00:00Z", nil),
      ("2025-13-01T00:00:00Z", nil), ("2025-00-01T00:00:00Z", nil), ("2025-01-32T00:00:00Z", nil),
      ("2025-01-01T24:00:00Z", nil), ("2025-01-01T00:00:60Z", nil), ("2025-01-01T00:00:00", nil),
      ("2025-01-01 00:00:00Z", nil), ("2025-01-01T00:00:00+00:00", nil),
    ] as [(String, Int64?)])
  func times(_ text: String, _ seconds: Int64?) {
    #expect(utcSeconds(parsing: text) == seconds)
  }

  @Test(
    "base64 has its padding and nothing else",
    arguments: [
      ("", []), ("AA==", [0]), ("AP8=", [0, 255]), ("Zm9v", [0x66, 0x6F, 0x6F]),
      ("+/+/", [251, 255, 191]),
      ("AA", nil), ("AB==", nil), ("A===", nil), ("AA=A", nil), ("A A=", nil), ("-_==", nil),
    ] as [(String, [UInt8]?)])
  func base64(_ text: String, _ value: [UInt8]?) {
    #expect(bytes(base64: text) == value)
  }

  @Test(
    "ports have a protocol, and a range is all of its ports",
    arguments: [
      ("4317", ["4317/tcp"]), ("8125/udp", ["8125/udp"]),
      ("1-3/sctp", ["1/sctp", "2/sctp", "3/sctp"]),
      ("5-5", ["5/tcp"]), ("65535", ["65535/tcp"]), ("65536", nil), ("0", nil), ("3-1", nil),
      ("1-", nil), ("-1", nil), ("1-2-3", nil), ("1/", nil), ("/tcp", nil), ("1/TCP", nil),
      ("", nil),
    ] as [(String, Set<String>?)])
  func ports(_ text: String, _ ports: Set<String>?) {
    #expect(ExposedPorts.parse(text) == ports)
  }

  @Test(
    "signals are names or numbers",
    arguments: [
      ("SIGTERM", true), ("SIGRTMIN+3", true), ("SIGRTMAX-1", true), ("15", true), ("64", true),
      ("65", false), ("0", false), ("TERM", false), ("SIG", false), ("SIGterm", false),
      ("SIGRTMIN+", false), ("SIGRTMIN+x", false), ("", false),
    ])
  func signals(_ text: String, _ isValid: Bool) {
    #expect(StopSignal.isValid(text) == isValid)
  }
}
