import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite(.serialized)
struct KillTests {
  private let room: Room
  private let blobs: FilePath

  init() throws {
    room = try Room()
    blobs = room.path.appending("layout/blobs/sha256")
    try room.directory.write("payload", letters(6 << 20) + noise(2 << 20))
    try room.define("big.yaml", entry: "path: /payload, file: payload")
    try room.define("small.yaml", entry: #"path: /text, text: "was here before""#)
  }

  @Test("a process killed at any moment leaves the layout whole; the next run clears what it left")
  func kills() throws {
    let digest = try room.assemble("small.yaml", "-o", "layout", "-t", "before")
    let index = try read("layout/index.json")
    var known = try sizes()
    let before = known
    let clock = ContinuousClock()
    let full = try clock.measure { try room.assemble("big.yaml", "-o", "elsewhere") }
    var died = 0, moved = 0
    for round in 1...200 {
      // Another time in the image makes another blob, so that no round finds its work done.
      let process = try start(["assemble", "big.yaml", "-o", "layout", "--epoch", "\(round)"])
      usleep(UInt32(Double.random(in: 0...1.1) * Double(full / .microseconds(1))))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      if process.terminationReason == .uncaughtSignal { died += 1 }

      let tags = try tags()
      try #require(tags["before"] == digest, "round \(round)")
      if tags["latest"] != nil { moved += 1 }
      let found = try sizes()
      for (name, size) in before { try #require(found[name] == size, "round \(round): \(name)") }
      for (name, size) in known { try #require(found[name] == size, "round \(round): \(name)") }
      let fresh =
        round.isMultiple(of: 20) ? Array(found.keys) : found.keys.filter { known[$0] == nil }
      try expectNamedByContent(fresh, round: round)
      known = found
      if round.isMultiple(of: 20) {
        let swept = try room.forge(["gc", "layout"])
        try #require(swept.status == 0, "\(swept.stderr)")
        known = try sizes()
      }
    }
    #expect(died > 50, "the kills came too late to prove anything")
    #expect(moved > 0, "the kills came too early to reach the commit")

    let last = try room.assemble("big.yaml", "-o", "layout")
    #expect(try tags() == ["before": digest, "latest": last])
    #expect(try names("layout") == ["blobs", "index.json", "oci-layout"])
    #expect(try names("cache").contains(".ociforge") == false)
    #expect(try read("layout/index.json").count > index.count)
    try room.expectValid("layout")
  }

  private func start(_ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: room.program)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: room.path.string)
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["OCIFORGE_CACHE": room("cache")]) { $1 }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  private func read(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: room(name)))
  }

  private func names(_ folder: String) throws -> [String] {
    guard FileManager.default.fileExists(atPath: room(folder)) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: room(folder)).sorted()
  }

  private func sizes() throws -> [String: UInt64] {
    var sizes: [String: UInt64] = [:]
    for name in try names("layout/blobs/sha256") {
      let attributes = try FileManager.default.attributesOfItem(
        atPath: blobs.appending(name).string)
      sizes[name] = (attributes[.size] as? NSNumber)?.uint64Value
    }
    return sizes
  }

  private func tags() throws -> [String: String] {
    struct Index: Decodable {
      struct Manifest: Decodable {
        let digest: String
        let annotations: [String: String]
      }
      let manifests: [Manifest]
    }
    let index = try JSONDecoder().decode(Index.self, from: read("layout/index.json"))
    return Dictionary(
      uniqueKeysWithValues: index.manifests.map {
        ($0.annotations["org.opencontainers.image.ref.name"] ?? "", $0.digest)
      })
  }

  private func expectNamedByContent(_ names: [String], round: Int) throws {
    guard !names.isEmpty else { return }
    let sums = try run("sha256sum", names, in: blobs)
    try #require(sums.status == 0)
    for line in sums.output.split(separator: "\n") {
      let words = line.split(separator: " ")
      try #require(words.count == 2 && words[0] == words[1], "round \(round): \(line)")
    }
  }
}
