import Bindings
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("ChildProcess") struct ChildProcessTests {
  private func shell(
    _ script: String, input: [UInt8] = [], outputLimit: Int = 1 << 20,
    timeout: Duration = .seconds(30)
  ) -> ChildProcess {
    ChildProcess(
      "/bin/sh", ["-c", script], input: input, outputLimit: outputLimit, timeout: timeout,
      grace: .milliseconds(100))
  }

  @Test("a program gets its input and gives its output, its words and its status")
  func whole() throws {
    let input = [UInt8](repeating: 0x61, count: 1 << 20)
    let result = try shell("cat; echo words >&2; exit 3", input: input).run()
    #expect(result.end == .exited(3))
    #expect(result.stdout == input)
    #expect(result.stderr == Array("words\n".utf8))
  }

  @Test("arguments come as they are, without a shell between")
  func arguments() throws {
    let child = ChildProcess(
      "/usr/bin/printf", ["%s|", "a b", "$HOME", "", "'\"*"], timeout: .seconds(30))
    #expect(String(decoding: try child.run().stdout, as: UTF8.self) == "a b|$HOME||'\"*|")
  }

  @Test("a program that never reads its input ends as it likes")
  func unreadInput() throws {
    for _ in 0..<20 {
      let result = try shell(
        "exec <&-; exit 5", input: [UInt8](repeating: 0, count: 1 << 18)
      ).run()
      #expect(result.end == .exited(5))
    }
  }

  @Test("environment and folder are what is asked for")
  func surroundings() throws {
    let directory = try TemporaryDirectory()
    var child = shell("pwd; echo $GREETING; echo ${HOME-none}")
    child.environment = ["GREETING=hello"]
    child.directory = directory.path
    let output = String(decoding: try child.run().stdout, as: UTF8.self)
    #expect(output == "\(directory.path)\nhello\nnone\n")
    child.environment = nil
    setenv("GREETING", "inherited", 1)
    defer { unsetenv("GREETING") }
    #expect(
      String(decoding: try child.run().stdout, as: UTF8.self).contains("\ninherited\n"))
  }

  @Test("nothing of ours is open in it, and no signal is blocked or ignored")
  func clean() throws {
    let leak = open("/dev/null", O_RDONLY)
    defer { close(leak) }
    let result = try ChildProcess("/bin/ls", ["/proc/self/fd"], timeout: .seconds(30)).run()
    // The fourth is that of the listing itself.
    #expect(String(decoding: result.stdout, as: UTF8.self) == "0\n1\n2\n3\n")
    let signals = try ChildProcess(
      "/bin/grep", ["-E", "^Sig(Blk|Ign)", "/proc/self/status"], timeout: .seconds(30)
    ).run()
    let blocked = String(decoding: signals.stdout, as: UTF8.self).split(separator: "\n")
    #expect(blocked.first == "SigBlk:\t0000000000000000")
    let ignored = try #require(blocked.last?.split(separator: "\t").last)
    // SIGPIPE is the 13th.
    #expect(try #require(UInt64(ignored, radix: 16)) & 1 << 12 == 0)
  }

  @Test("a program that a signal ends says which")
  func signal() throws {
    #expect(try shell("kill -PIPE $$").run().end == .killed(signal: 13))
  }

  @Test("of a long stderr the end is kept, and a long stdout stops the program")
  func limits() throws {
    let noisy = try shell("head -c 300000 /dev/zero | tr '\\0' x >&2; echo end >&2").run()
    #expect(noisy.end == .exited(0))
    #expect(noisy.stderr.count == 4096)
    #expect(noisy.stderr.suffix(5) == Array("xend\n".utf8)[...])
    #expect(try shell("exec cat /dev/zero").run().end == .tooMuchOutput)
    #expect(try shell("head -c 11 /dev/zero", outputLimit: 10).run().end == .tooMuchOutput)
    #expect(try shell("head -c 10 /dev/zero", outputLimit: 10).run().end == .exited(0))
  }

  @Test("what goes on in the background is not waited for")
  func background() throws {
    let clock = ContinuousClock()
    let start = clock.now
    let result = try shell("sleep 60 & echo $!").run()
    #expect(clock.now - start < .seconds(20))
    #expect(result.end == .exited(0))
    let agent = try #require(
      pid_t(String(decoding: result.stdout, as: UTF8.self).trimmingCharacters(in: .newlines)))
    #expect(kill(agent, SIGKILL) == 0, "it lives on")
  }

  @Test(
    "a program that takes too long is ended, also where it minds",
    arguments: ["", "trap '' TERM; "])
  func timeout(_ trap: String) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let result = try shell(
      "\(trap)echo waiting >&2; while :; do sleep 60; done", timeout: .milliseconds(300)
    ).run()
    #expect(result.end == .timedOut)
    #expect(result.stderr == Array("waiting\n".utf8))
    #expect(clock.now - start < .seconds(20))
  }

  @Test("a program whose task is cancelled is ended")
  func cancelled() async throws {
    let task = Task.detached { try shell("sleep 60").run() }
    try await Task.sleep(for: .milliseconds(100))
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test("a program that is not there, or is none, is an error that names it")
  func unstartable() throws {
    let folder = try TemporaryDirectory()
    let file = try folder.write("program", "text")
    for (path, reason) in [
      (folder.path.appending("nowhere"), "No such file or directory"), (file, "Permission denied"),
    ] {
      let error = #expect(throws: FileError.self) {
        try ChildProcess(path, timeout: .seconds(30)).run()
      }
      #expect(error?.description == "running \"\(path)\": \(reason)")
    }
  }

  @Test("a program is looked for in the absolute folders of PATH")
  func find() throws {
    let folder = try TemporaryDirectory()
    try folder.write("a/tool", "text")
    let tool = try folder.write("b/tool", "#!/bin/sh\n", mode: 0o755)
    try folder.write("c/tool/file", "")
    let path = "relative::\(folder.path)/nowhere:\(folder.path)/c:\(folder.path)/a:\(folder.path)/b"
    #expect(ChildProcess.find("tool", path: path) == tool)
    #expect(ChildProcess.find("other", path: path) == nil)
    #expect(ChildProcess.find("tool", path: "") == nil)
  }
}
