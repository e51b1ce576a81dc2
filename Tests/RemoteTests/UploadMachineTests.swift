import OCISpec
import Testing

@testable import Remote

@Suite struct UploadMachineTests {
  typealias Event = UploadMachine.Event
  typealias Step = UploadMachine.Step

  private static let mib: Int64 = 1 << 20

  private static func answer(
    _ status: Int, range: String? = nil, codes: Set<String> = [], isPassing: Bool = false
  ) -> Event {
    .answered(
      .init(
        status: status, codes: codes, isPassing: isPassing,
        extent: range.map { UploadRange($0).map { .range($0) } ?? .malformed } ?? .missing,
        hasLocation: true))
  }

  /// Into chunks of 1 MiB, as 413 to 2 MiB in one piece leads there.
  private static let chunks: [(Event, Step)] = [
    (.opened(minimumChunk: nil), .sendWhole),
    (answer(413), .open(pausing: false)),
    (.opened(minimumChunk: nil), first),
  ]
  private static let first = Step.sendChunk(offset: 0, byteCount: mib)
  private static let second = Step.sendChunk(offset: mib, byteCount: mib)
  private static let whole: [(Event, Step)] = [(.opened(minimumChunk: nil), .sendWhole)]

  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var size = 2 * mib
    var steps: [(Event, Step)]

    var testDescription: String { name }
  }

  private static let cases: [Case] = [
    Case(name: "all at once", steps: whole + [(answer(201), .done)]),
    Case(
      name: "U4: a forgotten session",
      steps: whole + [
        (answer(404), .look(pausing: false)), (.absent, .open(pausing: true)),
        (.opened(minimumChunk: nil), .sendWhole),
      ]),
    Case(
      name: "T9: there after all",
      steps: whole + [(.lost, .look(pausing: false)), (.present, .done)]),
    Case(
      name: "the third session is in chunks, and the last",
      steps: whole + [
        (.lost, .look(pausing: false)), (.absent, .open(pausing: true)),
        (.opened(minimumChunk: nil), .sendWhole), (.lost, .look(pausing: false)),
        (.absent, .open(pausing: true)),
        (.opened(minimumChunk: nil), .sendChunk(offset: 0, byteCount: 2 * mib)),
        (answer(404), .fail(.lastAnswer)),
      ]),
    Case(
      name: "U5: damaged twice",
      steps: whole + [
        (answer(400, codes: ["DIGEST_INVALID"]), .checkFile),
        (.fileIsSound, .open(pausing: true)), (.opened(minimumChunk: nil), .sendWhole),
        (answer(400, codes: ["DIGEST_INVALID"]), .checkFile), (.fileIsSound, .fail(.lastAnswer)),
      ]),
    Case(
      name: "refusals that stay",
      steps: whole + [(answer(403), .fail(.lastAnswer))]),
    Case(
      name: "in chunks",
      steps: chunks + [
        (answer(202, range: "0-1048575"), second), (answer(202, range: "0-2097151"), .finish),
        (answer(201), .done),
      ]),
    Case(
      name: "U11: a range with bytes=, and none",
      steps: chunks + [
        (answer(202, range: "bytes=0-1048575"), second), (answer(202), .finish),
      ]),
    Case(
      name: "U11: fewer bytes than were sent",
      steps: chunks + [
        (
          answer(202, range: "0-524287"),
          .sendChunk(offset: mib / 2, byteCount: mib)
        )
      ]),
    Case(
      name: "U11: more bytes than were sent, after which one piece has no hope",
      steps: chunks + [(answer(202, range: "0-9999999"), .fail(.lastAnswer))]),
    Case(
      name: "U11: not from the start",
      steps: chunks + [(answer(202, range: "5-1048575"), .fail(.lastAnswer))]),
    Case(
      name: "U11: no range at all",
      steps: chunks + [
        (answer(202, range: "x"), .askStatus(pausing: false)),
        (answer(204, range: "0-1048575"), second),
      ]),
    Case(
      name: "U11: twice not a byte further",
      steps: chunks + [
        (answer(202, range: "0-0"), first), (answer(202, range: "0-0"), .fail(.lastAnswer)),
      ]),
    Case(
      name: "U10: an offset that is not right",
      steps: chunks + [
        (answer(202, range: "0-1048575"), second), (answer(416), .askStatus(pausing: false)),
        (answer(204, range: "0-1048575"), second),
      ]),
    Case(
      name: "U10: no chunk at all is right (GHCR)",
      steps: [(Event, Step)](whole.prefix(1)) + [
        (.lost, .look(pausing: false)), (.absent, .open(pausing: true)),
        (.opened(minimumChunk: nil), .sendWhole), (.lost, .look(pausing: false)),
        (.absent, .open(pausing: true)),
        (.opened(minimumChunk: nil), .sendChunk(offset: 0, byteCount: 2 * mib)),
        (answer(416), .askStatus(pausing: false)),
        (answer(204, range: "0-0"), .sendChunk(offset: 0, byteCount: 2 * mib)),
        (answer(416), .open(pausing: false)), (.opened(minimumChunk: nil), .sendWhole),
        (answer(201), .done),
      ]),
    Case(
      name: "U12: a status without a range, and a session that is gone",
      steps: chunks + [
        (.lost, .askStatus(pausing: true)), (answer(204), .open(pausing: true)),
        (.opened(minimumChunk: nil), first), (.lost, .askStatus(pausing: true)),
        (answer(404), .open(pausing: true)), (.opened(minimumChunk: nil), first),
        (answer(404), .fail(.lastAnswer)),
      ]),
    Case(
      name: "U13: the least that the registry wants",
      size: 20 * mib,
      steps: [
        (.opened(minimumChunk: nil), .sendWhole), (answer(413), .open(pausing: false)),
        (.opened(minimumChunk: 15 * mib), .sendChunk(offset: 0, byteCount: 15 * mib)),
        (
          answer(202, range: "0-15728639"),
          .sendChunk(offset: 15 * mib, byteCount: 5 * mib)
        ),
      ]),
    Case(
      name: "U13: a least that is absurd is all in one chunk",
      steps: [
        (.opened(minimumChunk: nil), .sendWhole), (answer(413), .open(pausing: false)),
        (.opened(minimumChunk: 10 << 40), .sendChunk(offset: 0, byteCount: 2 * mib)),
      ]),
    Case(
      name: "U9: 201 to a chunk where one piece is too large",
      steps: chunks + [(answer(201), .fail(.lastAnswer))]),
    Case(
      name: "S3: a wait is no failure of the session",
      steps: whole + [(answer(429, isPassing: true), .open(pausing: true))]),
  ]

  @Test("says the next step", arguments: cases)
  func steps(_ test: Case) {
    var machine = UploadMachine(size: test.size, takesChunks: true)
    #expect(machine.start() == .open(pausing: false))
    for (number, (event, expected)) in test.steps.enumerated() {
      #expect(machine.next(after: event) == expected, "step \(number)")
    }
  }

  @Test("ends, whatever a registry answers")
  func terminates() {
    let events: [Event] = [
      Self.answer(202, range: "0-0"), Self.answer(416), Self.answer(503, isPassing: true),
      Self.answer(413), Self.answer(204, range: "0-1048575"), Self.answer(400), .lost,
      Self.answer(200), Self.answer(404), Self.answer(202, range: "0-1048576"),
    ]
    var seed: UInt64 = 7
    func random() -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(seed >> 33)
    }
    for _ in 0..<200 {
      var machine = UploadMachine(size: 3 * Self.mib, takesChunks: true)
      var step = machine.start(), count = 0
      while count < 500 {
        count += 1
        switch step {
        case .done, .fail: count = 1_000
        case .open:
          // The driver gives up after five pauses in a row.
          if machine.pauses >= 5 { count = 1_000; break }
          step = machine.next(after: .opened(minimumChunk: nil))
        case .look: step = machine.next(after: .absent)
        case .checkFile: step = machine.next(after: .fileIsSound)
        case .sendWhole, .sendChunk, .finish, .askStatus:
          step = machine.next(after: events[random() % events.count])
        }
      }
      #expect(count == 1_000)
    }
  }
}
