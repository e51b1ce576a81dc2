import Bindings
import Foundation
import OCILayout
import OCISpec
import Remote
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Definition
@testable import Inputs

/// A definition with these inputs, and a cache.
private struct Desk {
  let directory = try? TemporaryDirectory()
  var images: [PlatformImage] = []

  var root: FilePath { directory?.path ?? "/nowhere" }
  var cache: BlobStore { BlobStore(root: root.appending("cache")) }

  mutating func add(
    _ platform: String, _ name: String, _ source: Input.Source, member: String? = nil, line: Int = 1
  ) throws {
    let platform = try Platform(parsing: platform)
    let input = Input(
      name: name, source: source, checksums: nil, member: member,
      location: SourceLocation(file: "image.yaml", line: line, column: 3))
    if let index = images.firstIndex(where: { $0.platform == platform }) {
      images[index].inputs[name] = input
    } else {
      images.append(
        PlatformImage(
          platform: platform, base: .scratch, inputs: [name: input], accounts: nil, layers: [],
          config: ConfigEdits()))
    }
  }

  func resolve(offline: Bool = true, reporter: Reporter = .silent) async throws -> ResolvedInputs {
    let definition = ImageDefinition(
      file: "image.yaml", directory: root, formatVersion: 1, name: "a", parameters: [:], epoch: nil,
      annotations: [:], images: images)
    let settings = NetworkSettings(environment: { _ in nil }, exists: { _ in false })
    return try await InputResolver(settings: settings).resolve(
      definition, cache: cache, offline: offline, reporter: reporter)
  }

  func failure(offline: Bool = true) async -> FailureList? {
    do {
      _ = try await resolve(offline: offline)
      return nil
    } catch { return error as? FailureList }
  }
}

@Suite struct InputResolverTests {
  private let amd64 = Platform(os: "linux", architecture: "amd64")
  private let arm64 = Platform(os: "linux", architecture: "arm64")

  @Test("local files are taken where they lie, with their execute bit")
  func localFiles() async throws {
    var desk = Desk()
    let tool = try #require(desk.directory).write("tool", "t", mode: 0o750)
    let text = try #require(desk.directory).write("text", "t")
    try desk.add("linux/amd64", "tool", .file(tool))
    try desk.add("linux/arm64", "text", .file(text))
    let resolved = try await desk.resolve()
    #expect(resolved[amd64, "tool"] == InputFile(path: tool, isExecutable: true))
    #expect(resolved[arm64, "text"] == InputFile(path: text, isExecutable: false))
    #expect(resolved[arm64, "tool"] == nil)
  }

  @Test("all that is wrong is told at once, in the definition's order")
  func complaints() async throws {
    var desk = Desk()
    try desk.add("linux/amd64", "gone", .file(desk.root.appending("gone")), line: 9)
    try desk.add("linux/arm64", "gone", .file(desk.root.appending("gone")), line: 9)
    try desk.add("linux/amd64", "folder", .file(desk.root), line: 4)
    try desk.add("linux/amd64", "loose", .url("https://a.test/x?key=secret", digest: nil), line: 5)
    let digest = try Digest.sha256(of: [1])
    try desk.add("linux/amd64", "far", .url("https://a.test/y", digest: digest), line: 6)
    let failure = try #require(await desk.failure())
    let lines = failure.description.split(separator: "\n").map(String.init)
    #expect(
      lines == [
        "image.yaml:4:3: input \"folder\": reading \"\(desk.root)\": expected a regular file, found a directory",
        "image.yaml:5:3: input \"loose\": https://a.test/x is not pinned; add its sha256, or run once without --offline to see it",
        "image.yaml:6:3: input \"far\": fetching https://a.test/y: not in the cache, and --offline forbids the network; run once without --offline",
        "image.yaml:9:3: input \"gone\": reading \"\(desk.root)/gone\": No such file or directory",
      ])
    #expect(failure.failures.map(\.kind) == [.data, .data, .unavailable, .notFound])
  }

  @Test("what the cache holds is used offline, and its members are extracted once")
  func cached() async throws {
    var desk = Desk()
    let directory = try #require(desk.directory)
    try directory.write("d/tool", "tool", mode: 0o755)
    #expect(try run("tar", ["czf", "a.tgz", "d"], in: desk.root).status == 0)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(desk.root)/a.tgz"))
    let archive = try desk.cache.put(Array(bytes))
    let source = Input.Source.url("https://a.test/a.tgz", digest: archive)
    try desk.add("linux/amd64", "tool", source, member: "d/tool")
    try desk.add("linux/arm64", "tool", source, member: "d/tool")
    try desk.add("linux/arm64", "all", source)
    let tool = try Digest.sha256(of: Array("tool".utf8))
    let expected = InputFile(path: desk.cache.path(of: tool), isExecutable: true)
    let first = try await desk.resolve()
    #expect(first[amd64, "tool"] == expected && first[arm64, "tool"] == expected)
    #expect(
      first[arm64, "all"] == InputFile(path: desk.cache.path(of: archive), isExecutable: false))

    // The record is believed as long as the bytes are those it names; else the archive is read again.
    try FileManager.default.removeItem(atPath: desk.cache.path(of: tool).string)
    #expect(try await desk.resolve() == first)
    let index = try FileManager.default.contentsOfDirectory(atPath: "\(desk.cache.root)/members")
    #expect(index.count == 1)
    let other = try desk.cache.put(Array("other".utf8))
    try directory.write("cache/members/\(index[0])", "\(other) file\n")
    #expect(
      try await desk.resolve()[amd64, "tool"]
        == InputFile(path: desk.cache.path(of: other), isExecutable: false))
    try directory.write("cache/members/\(index[0])", "junk")
    #expect(try await desk.resolve() == first)
  }

  @Test("a member that was damaged in the cache is extracted again")
  func damagedMember() async throws {
    var desk = Desk()
    let directory = try #require(desk.directory)
    try directory.write("tool", "tool")
    #expect(try run("tar", ["czf", "a.tgz", "tool"], in: desk.root).status == 0)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(desk.root)/a.tgz"))
    let digest = try desk.cache.put(Array(bytes))
    let tool = try desk.cache.path(of: Digest.sha256(of: Array("tool".utf8)))
    // With a record of it and without.
    try desk.add("linux/amd64", "a", .url("https://a.test/a.tgz", digest: digest), member: "tool")
    try desk.add("linux/amd64", "b", .file(desk.root.appending("a.tgz")), member: "tool")
    let warnings = Mutex<[String]>([])
    let reporter = Reporter { event in
      if case .warning(let text) = event { warnings.withLock { $0.append(text) } }
    }
    for name in ["a", "b"] {
      var one = desk
      one.images[0].inputs = one.images[0].inputs.filter { $0.key == name }
      _ = try await one.resolve(reporter: reporter)
      #expect(warnings.withLock { $0 } == [])
      try Data("fool".utf8).write(to: URL(fileURLWithPath: tool.string))
      #expect(try await one.resolve(reporter: reporter)[amd64, name]?.path == tool)
      #expect(try String(contentsOfFile: tool.string, encoding: .utf8) == "tool")
      #expect(
        warnings.withLock { warnings in
          defer { warnings = [] }
          return warnings
        } == (name == "a" ? ["the cached file \"\(tool)\" is damaged; extracting it again"] : []),
        "what has no record is extracted in every run, which says nothing of what it replaces")
    }

    try Data("no archive any more".utf8).write(
      to: URL(fileURLWithPath: desk.cache.path(of: digest).string))
    let failure = try #require(await desk.failure())
    #expect(failure.kind == .data)
    #expect(
      failure.description.hasPrefix(
        "image.yaml:1:3: input \"a\": reading blob \"\(desk.cache.path(of: digest))\": digest mismatch: expected \(digest), found sha256:"
      ))
  }

  @Test("a fifo is refused where it stands, not waited for", arguments: [nil, "x"])
  func fifo(_ member: String?) async throws {
    var desk = Desk()
    #expect(try run("mkfifo", ["f"], in: desk.root).status == 0)
    try desk.add("linux/amd64", "x", .file(desk.root.appending("f")), member: member, line: 7)
    let failure = try #require(await desk.failure())
    #expect(
      failure.description
        == "image.yaml:7:3: input \"x\": reading \"\(desk.root)/f\": expected a regular file, found a fifo"
    )
  }

  @Test("a local archive is read anew each time")
  func localArchive() async throws {
    var desk = Desk()
    let directory = try #require(desk.directory)
    try desk.add("linux/amd64", "x", .file(desk.root.appending("a.tar")), member: "x")
    for content in ["one", "two"] {
      try directory.write("x", content)
      #expect(try run("tar", ["cf", "a.tar", "x"], in: desk.root).status == 0)
      let file = try #require(await desk.resolve()[amd64, "x"])
      #expect(try String(contentsOfFile: file.path.string, encoding: .utf8) == content)
    }
  }

  @Test("a missing member names the input's place and the archive")
  func missingMember() async throws {
    var desk = Desk()
    let directory = try #require(desk.directory)
    try directory.write("otelcol", "x")
    #expect(try run("tar", ["cf", "a.tar", "otelcol"], in: desk.root).status == 0)
    try desk.add(
      "linux/amd64", "x", .file(desk.root.appending("a.tar")), member: "otelcoll", line: 7)
    let failure = try #require(await desk.failure())
    #expect(failure.kind == .data)
    #expect(
      failure.description
        == "image.yaml:7:3: input \"x\": extracting \"otelcoll\" from \(desk.root)/a.tar: there is no such member; did you mean \"otelcol\"; it has 1 file: \"otelcol\""
    )
  }

  @Test(
    "each distinct file is fetched once, and every failure is told", .enabled(if: peers("python3")))
  func fetches() async throws {
    var desk = Desk()
    let directory = try #require(desk.directory)
    let server = try FileServer(of: desk.root)
    defer { server.stop() }
    for number in 0..<6 { try directory.write("f\(number)", "content \(number)") }
    for number in 0..<6 {
      let digest = try Digest.sha256(of: Array("content \(number)".utf8))
      for platform in ["linux/amd64", "linux/arm64"] {
        try desk.add(platform, "f\(number)", .url(server.url("f\(number)"), digest: digest))
      }
    }
    let resolved = try await desk.resolve(offline: false)
    #expect(server.requestCount == 6)
    let file = try #require(resolved[arm64, "f5"])
    #expect(try String(contentsOfFile: file.path.string, encoding: .utf8) == "content 5")
    #expect(!file.isExecutable)

    let other = try Digest.sha256(of: [7])
    try desk.add("linux/amd64", "wrong", .url(server.url("f1"), digest: other), line: 2)
    try desk.add("linux/amd64", "gone", .url(server.url("gone"), digest: other), line: 3)
    try desk.add("linux/arm64", "loose", .url(server.url("f2"), digest: nil), line: 4)
    let failure = try #require(await desk.failure(offline: false))
    #expect(failure.failures.map(\.kind) == [.data, .notFound, .data])
    #expect(failure.description.contains("image.yaml:2:3: input \"wrong\": digest mismatch: "))
    #expect(failure.description.contains("image.yaml:3:3: input \"gone\": fetching http://"))
    #expect(failure.description.contains("image.yaml:4:3: input \"loose\": fetching http://"))
    #expect(server.requestCount == 8, "nothing is fetched again, unpinned http not at all")
  }

  @Test("the line to paste is a string where all platforms share a file, else a map")
  func pinningLines() throws {
    let one = try Digest.sha256(of: [1]), two = try Digest.sha256(of: [2])
    func text(_ found: [Platform: Digest]) -> String {
      InputError.unpinned(url: "https://a.test/x", found: found).description
    }
    #expect(text([amd64: one]).hasSuffix(":\n    sha256: \"\(one.hex)\""))
    #expect(text([amd64: one, arm64: one]).hasSuffix(":\n    sha256: \"\(one.hex)\""))
    #expect(
      text([arm64: two, amd64: one]).hasSuffix(
        ":\n    sha256: { linux/amd64: \"\(one.hex)\", linux/arm64: \"\(two.hex)\" }"))
  }
}

/// Python's file server on loopback, with its log.
private final class FileServer {
  private let process = Process()
  private let log: FilePath
  private let port: String

  init(of directory: FilePath) throws {
    log = directory.appending("server.log")
    let script = """
      import http.server, functools, sys
      handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
      server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
      print(server.server_address[1], flush=True)
      server.serve_forever()
      """
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script, directory.string]
    let stdout = Pipe()
    process.standardOutput = stdout
    _ = FileManager.default.createFile(atPath: log.string, contents: nil)
    process.standardError = FileHandle(forWritingAtPath: log.string)
    try process.run()
    let line = String(decoding: stdout.fileHandleForReading.availableData, as: UTF8.self)
    port = line.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  func stop() {
    // The thread that started it may have blocked gentler signals, which a child inherits.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  func url(_ name: String) -> String { "http://127.0.0.1:\(port)/\(name)" }

  var requestCount: Int {
    let text = try? String(contentsOfFile: log.string, encoding: .utf8)
    return (text ?? "").components(separatedBy: "\"GET ").count - 1
  }
}
