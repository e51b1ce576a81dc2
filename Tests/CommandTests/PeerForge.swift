import Foundation
import SystemPackage
import TestSupport
import Testing

/// The programs that were built.
enum Built {
  /// What the other tests run too.
  static let ociforge = (try? builtBinary())?.string ?? "no ociforge was built"

  /// What `make release` leaves; `nil` where it did not run.
  static let release: String? = {
    let path = repository.appending("dist/ociforge-linux-\(architecture)").string
    return FileManager.default.isExecutableFile(atPath: path) ? path : nil
  }()

  /// This machine's, in the words of images.
  static let architecture: String = {
    #if arch(arm64)
      "arm64"
    #else
      "amd64"
    #endif
  }()
}

/// A folder for one test, with a cache of its own, and the program run in it.
struct Room {
  let directory: TemporaryDirectory
  let program: String

  var path: FilePath { directory.path }

  init(program: String = Built.ociforge) throws {
    directory = try TemporaryDirectory()
    self.program = program
  }

  func callAsFunction(_ name: String) -> String { path.appending(name).string }

  /// Runs the program below `wrapper`, a command that runs another one.
  func forge(
    _ arguments: [String], environment: [String: String?] = [:], in folder: String = ".",
    under wrapper: [String] = []
  ) throws -> Finished {
    var settings: [String: String?] = ["OCIFORGE_CACHE": self("cache"), "SOURCE_DATE_EPOCH": nil]
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"] {
      settings[name] = .some(nil)
      settings[name.lowercased()] = .some(nil)
    }
    settings.merge(environment) { $1 }
    let command = wrapper + [program] + arguments
    return try run(
      command[0], Array(command.dropFirst()), environment: settings,
      in: path.pushing(FilePath(folder)))
  }

  /// Assembles, which must succeed and answer with one digest.
  @discardableResult
  func assemble(
    _ arguments: String..., environment: [String: String?] = [:], in folder: String = ".",
    under wrapper: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let finished = try forge(
      ["assemble"] + arguments, environment: environment, in: folder, under: wrapper)
    try #require(
      finished.status == 0, "\(finished.stderr)", sourceLocation: sourceLocation)
    try #require(
      finished.output.wholeMatch(of: /sha256:[0-9a-f]{64}\n/) != nil, "\(finished.output)",
      sourceLocation: sourceLocation)
    return String(finished.output.dropLast())
  }

  /// A written layout is validated before the test ends.
  func expectValid(_ layout: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let finished = try forge(["validate", "oci:\(layout)"])
    #expect(
      finished.status == 0 && finished.output == "valid\n", "\(finished.output)\(finished.stderr)",
      sourceLocation: sourceLocation)
  }

  /// Runs a peer, which must succeed, and takes its answer.
  @discardableResult
  func peer(
    _ program: String, _ arguments: String..., environment: [String: String?] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let finished = try run(program, arguments, environment: environment, in: path)
    try #require(
      finished.status == 0, "\(program) \(arguments): \(finished.stderr)",
      sourceLocation: sourceLocation)
    return finished.output
  }

  /// Runs a shell script, which must succeed, with `$0` as its first argument.
  @discardableResult
  func shell(
    _ script: String, _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let finished = try run("sh", ["-euc", script] + arguments, in: path)
    try #require(finished.status == 0, "\(finished.stderr)", sourceLocation: sourceLocation)
    return finished.output
  }

  /// Runs podman with storage of its own, in the form that needs no systemd and no cgroups v2.
  @discardableResult
  func podman(
    _ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let own = [
      "--root", self("podman"), "--runroot", self("podman-run"), "--storage-driver", "vfs",
      "--runtime", "runc", "--cgroup-manager=cgroupfs", "--events-backend=none",
    ]
    let finished = try run(
      "podman", own + arguments, environment: ["TMPDIR": path.string], in: path)
    try #require(
      finished.status == 0, "podman \(arguments): \(finished.stderr)",
      sourceLocation: sourceLocation)
    return finished.output
  }

  /// Writes the definition of an image that has one layer with one entry.
  func define(_ file: String, entry: String) throws {
    try directory.write(
      file,
      """
      formatVersion: 1
      name: sample
      platforms: [linux/amd64]
      from: scratch
      layers:
        - name: layer
          entries:
            - { \(entry) }
      """)
  }

  /// Every name below a folder with type, mode, owner, and where a link leads; sorted.
  func tree(_ folder: String, owners: Bool = true) throws -> [String] {
    let format = owners ? "%P %y %m %U:%G %l\\n" : "%P %y %m %l\\n"
    let text = try peer("find", self(folder), "-mindepth", "1", "-printf", format)
    return text.split(separator: "\n").map {
      $0.trimmingCharacters(in: .whitespaces)
    }.sorted()
  }
}

let isRoot = geteuid() == 0

/// Whether a command works here; what a kernel or a container forbids is not the program's fault.
func works(_ command: String...) -> Bool {
  (try? run(command[0], Array(command.dropFirst())).status) == 0
}

/// A command that runs another one with mounts of its own.
let withOwnMounts =
  ["unshare"] + (isRoot ? [] : ["--user", "--map-root-user"]) + ["--mount"]

let canMount = works(
  "sh", "-c", "\(withOwnMounts.joined(separator: " ")) mount -t tmpfs tmpfs /mnt")

/// Bytes that do not compress, the same ones for a seed.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  words(count, seed: seed) { $0 }
}

/// Letters that compress to about half.
func letters(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
  words(count, seed: seed) { $0 & 0x0F0F_0F0F_0F0F_0F0F | 0x6060_6060_6060_6060 }
}

// SplitMix64: small, seeded, and the same everywhere.
private func words(_ count: Int, seed: UInt64, _ shape: (UInt64) -> UInt64) -> [UInt8] {
  var state = seed
  var bytes = [UInt8](repeating: 0, count: (count + 7) / 8 * 8)
  bytes.withUnsafeMutableBytes { buffer in
    for offset in stride(from: 0, to: buffer.count, by: 8) {
      state &+= 0x9E37_79B9_7F4A_7C15
      var word = state
      word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
      buffer.storeBytes(
        of: shape(word ^ (word >> 31)).littleEndian, toByteOffset: offset, as: UInt64.self)
    }
  }
  return Array(bytes.prefix(count))
}

/// How podman runs an image here: no network of its own, limits that any machine has.
let podmanRun = [
  "run", "--rm", "--network=host", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024",
]
