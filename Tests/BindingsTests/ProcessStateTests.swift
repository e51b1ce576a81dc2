import Bindings
import Foundation
import Testing

@Suite(.serialized) struct ProcessStateTests {
  @Test("a signal that was ignored stays ignored, another one ends the process")
  func signals() throws {
    let interrupt = signal(SIGINT, SIG_IGN), terminate = signal(SIGTERM, SIG_DFL)
    ProcessState.prepare()
    // Each call restores what was there before this test and says what is there now.
    let found = [signal(SIGINT, interrupt), signal(SIGTERM, terminate)].map {
      unsafeBitCast($0, to: Int.self)
    }
    let known = [SIG_IGN, SIG_DFL].map { unsafeBitCast($0, to: Int.self) }
    #expect(found[0] == known[0])
    #expect(!known.contains(found[1]))
  }
}
