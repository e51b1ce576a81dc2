internal import CLinux
@preconcurrency internal import Glibc
import Reporting
package import SystemPackage

/// A program that is run to its end: no shell, its own process group, nothing of ours open in it but the three
/// standard descriptors.
///
/// swift-subprocess 1.0.2 was tried for this: its write to a program that has ended already kills us by SIGPIPE,
/// or traps (https://github.com/swiftlang/swift-subprocess/issues/367). Input is a nameless file here, so there
/// is nothing to write while the program runs.
package struct ChildProcess: Sendable {
  package var program: FilePath
  /// Without the program's own name.
  package var arguments: [String]
  /// `NAME=VALUE` each; `nil` is this process's own.
  package var environment: [String]?
  /// `nil` is this process's own.
  package var directory: FilePath?
  /// What it reads from its standard input.
  package var input: [UInt8]
  /// A program that writes more bytes to stdout is stopped.
  package var outputLimit: Int
  /// Of stderr the last bytes are kept, so many at most.
  package var diagnosticsLimit: Int
  package var timeout: Duration
  /// How long a program that was asked to end (SIGTERM) may take before it is killed.
  package var grace: Duration

  package init(
    _ program: FilePath, _ arguments: [String] = [], environment: [String]? = nil,
    directory: FilePath? = nil, input: [UInt8] = [], outputLimit: Int = 1 << 20,
    diagnosticsLimit: Int = 4 << 10, timeout: Duration, grace: Duration = .seconds(2)
  ) {
    self.program = program
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.input = input
    self.outputLimit = outputLimit
    self.diagnosticsLimit = diagnosticsLimit
    self.timeout = timeout
    self.grace = grace
  }

  package struct Result: Sendable, Equatable {
    package enum End: Sendable, Equatable {
      case exited(Int32)
      case killed(signal: Int32)
      /// It was stopped by us, with all of its process group.
      case timedOut, tooMuchOutput
    }

    package let end: End
    package let stdout: [UInt8]
    package let stderr: [UInt8]
  }

  /// The first executable file of this name in a `PATH`. Only absolute folders count: what lies in the
  /// working directory is not run by accident.
  package static func find(_ name: String, path: String) -> FilePath? {
    for folder in path.split(separator: ":") where folder.hasPrefix("/") {
      let file = FilePath(String(folder)).appending(name)
      if (try? FileSystem.status(of: file))?.kind == .file,
        file.withPlatformString({ access($0, X_OK) }) == 0
      {
        return file
      }
    }
    return nil
  }

  /// Blocks until the program has ended. Where its group lives on in the background (as an agent does that it
  /// started), that is left alone and not waited for.
  ///
  /// - Throws: where it cannot be started; `CancellationError`, with the program stopped, where the task that
  ///   runs this is cancelled.
  package func run() throws -> Result {
    var stdout = Outlet(limit: outputLimit, keepsLast: false)
    var stderr = Outlet(limit: diagnosticsLimit, keepsLast: true)
    defer {
      stdout.close()
      stderr.close()
    }
    let child = try start(&stdout, &stderr)
    Interruption.add(group: child)
    defer { Interruption.remove(group: child) }
    let clock = ContinuousClock()
    let deadline = clock.now + timeout
    var patience: Int32 = 1
    while !hasEnded(child) {
      let isWriting = stdout.isOpen || stderr.isOpen
      wait(for: [stdout, stderr], milliseconds: isWriting ? 50 : patience)
      patience = min(patience * 2, 50)
      stdout.take()
      stderr.take()
      let problem: Result.End? =
        stdout.hasOverflown ? .tooMuchOutput : clock.now >= deadline ? .timedOut : nil
      guard problem != nil || Task.isCancelled else { continue }
      stop(child)
      guard let problem else { throw CancellationError() }
      return Result(end: problem, stdout: [], stderr: stderr.bytes)
    }
    let end = reap(child)
    stdout.take()
    stderr.take()
    if stdout.hasOverflown { return Result(end: .tooMuchOutput, stdout: [], stderr: stderr.bytes) }
    return Result(end: end, stdout: stdout.bytes, stderr: stderr.bytes)
  }

  private func start(_ stdout: inout Outlet, _ stderr: inout Outlet) throws(FileError) -> pid_t {
    let stdin = try inputFile()
    defer { close(stdin) }
    let out = try check(stdout.open())
    defer { close(out) }
    let err = try check(stderr.open())
    defer { close(err) }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (target, source) in [stdin, out, err].enumerated() {
      posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
    }
    posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    if let directory {
      _ = directory.withPlatformString { posix_spawn_file_actions_addchdir_np(&actions, $0) }
    }
    // Event loops block signals and ignore SIGPIPE; the program has neither.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t(), broken = sigset_t()
    sigemptyset(&none)
    sigemptyset(&broken)
    sigaddset(&broken, SIGPIPE)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &broken)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var child: pid_t = 0
    let error = withCStrings([program.string] + arguments) { arguments in
      program.withPlatformString { program in
        guard let environment else {
          return posix_spawn(&child, program, &actions, &attributes, arguments, environ)
        }
        return withCStrings(environment) {
          posix_spawn(&child, program, &actions, &attributes, arguments, $0)
        }
      }
    }
    guard error == 0 else { throw failure(Errno(rawValue: error)) }
    return child
  }

  private func failure(_ errno: Errno) -> FileError {
    FileError("running", program, errno, kind: .cannotRead)
  }

  private func check(_ descriptor: Int32) throws(FileError) -> Int32 {
    guard descriptor >= 0 else { throw failure(Errno(rawValue: errno)) }
    return descriptor
  }

  /// The input as a file in memory, read from its start.
  private func inputFile() throws(FileError) -> Int32 {
    let file = try check(aboveStandard(memfd_create("input", closeOnExec)))
    do {
      _ = try FileDescriptor(rawValue: file).writeAll(toAbsoluteOffset: 0, input)
      return file
    } catch {
      close(file)
      throw failure(error as? Errno ?? .ioError)
    }
  }

  /// Whether it has ended; its number stays taken until ``reap(_:)``.
  private func hasEnded(_ child: pid_t) -> Bool {
    var state = siginfo_t()
    let result = waitid(P_PID, id_t(child), &state, WEXITED | WNOHANG | WNOWAIT)
    return (result == 0 && state.si_signo == SIGCHLD) || (result != 0 && errno == ECHILD)
  }

  private func reap(_ child: pid_t) -> Result.End {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 {
      // Somebody who ignores SIGCHLD started us: the status is lost.
      guard errno == EINTR else { return .exited(0) }
    }
    let signal = status & 0x7F
    return signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: signal)
  }

  private func stop(_ child: pid_t) {
    let clock = ContinuousClock()
    let deadline = clock.now + grace
    kill(-child, SIGTERM)
    while !hasEnded(child) && clock.now < deadline { usleep(5_000) }
    // Also where it ended: others of its group may not have, and nobody else has its number yet.
    kill(-child, SIGKILL)
    _ = reap(child)
  }

  private func wait(for outlets: [Outlet], milliseconds: Int32) {
    var open = outlets.filter(\.isOpen).map {
      pollfd(fd: $0.reader, events: Int16(POLLIN), revents: 0)
    }
    poll(&open, nfds_t(open.count), milliseconds)
  }
}

/// Our end of a pipe that a program writes to, with what came through it.
private struct Outlet {
  let limit: Int
  let keepsLast: Bool
  private(set) var reader: Int32 = -1
  private(set) var bytes: [UInt8] = []
  private(set) var hasOverflown = false

  init(limit: Int, keepsLast: Bool) {
    self.limit = limit
    self.keepsLast = keepsLast
  }

  var isOpen: Bool { reader >= 0 }

  /// - Returns: the program's end, or -1 with `errno`.
  mutating func open() -> Int32 {
    var ends: [Int32] = [-1, -1]
    guard pipe2(&ends, O_CLOEXEC) == 0 else { return -1 }
    reader = aboveStandard(ends[0])
    let writer = aboveStandard(ends[1])
    guard reader >= 0 && writer >= 0 && fcntl(reader, F_SETFL, O_NONBLOCK) == 0 else {
      if writer >= 0 { Glibc.close(writer) }
      return -1
    }
    return writer
  }

  mutating func close() {
    if isOpen { Glibc.close(reader) }
    reader = -1
  }

  /// Takes what is there; no more than a share of it at once, so that deadlines are kept.
  mutating func take() {
    guard isOpen else { return }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    for _ in 0..<64 {
      let count = read(reader, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      if count < 0 && errno == EAGAIN { return }
      guard count > 0 else { return close() }
      bytes += buffer.prefix(count)
      guard bytes.count > limit else { continue }
      hasOverflown = true
      if keepsLast { bytes.removeFirst(bytes.count - limit) } else { return }
    }
  }
}

/// `MFD_CLOEXEC` of memfd_create(2).
private let closeOnExec: UInt32 = 1

/// The same file under a number that no standard descriptor has: where ours were closed when we started, a new
/// file gets theirs.
private func aboveStandard(_ descriptor: Int32) -> Int32 {
  guard (0...2).contains(descriptor) else { return descriptor }
  defer { close(descriptor) }
  return fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
}
