import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: registryPeers()))
struct RegistryKillTests {
  private static let rounds = 30
  private let room: Room

  init() throws {
    room = try Room()
    // Sizes apart, so that blobs are finished one after another.
    let layers = try (1...6).map { number in
      try room.directory.write("file\(number)", noise(number << 19, seed: UInt64(number)))
      return """
          - name: layer\(number)
            entries:
              - { path: /file\(number), file: file\(number) }

        """
    }
    try room.directory.write(
      "image.yaml",
      """
      formatVersion: 1
      name: sample
      platforms: [linux/amd64]
      from: scratch
      layers:
      \(layers.joined())
      """)
  }

  @Test(
    "U28: a push killed at any moment is finished by the next, which sends no finished blob again")
  func push() async throws {
    let digest = try room.assemble("-o", "layout")
    try await DockerRegistry.run { registry in
      let full = try ContinuousClock().measure {
        try room.forge(at: registry, "push", "oci:layout", registry.reference("kill/full:v1"))
      }
      let all = registry.blobs(of: "kill/full")
      try #require(all.count == 7)
      var moments = Moments(within: full)
      for round in 1...Self.rounds {
        let name = "kill/round\(round)"
        let push = ["push", "oci:layout", registry.reference("\(name):v1")]
        try moments.kill(
          room.start(push, environment: room.environment(for: registry), name: "killed"),
          in: round, of: all.count
        ) { registry.blobs(of: name).count }
        // What was on its way may still be put away after this; what is there already must not come again.
        let finished = registry.blobs(of: name)
        moments.note(done: finished.count, of: all.count)

        let answer = try room.forge(push, environment: room.environment(for: registry))
        try #require(
          answer.status == 0 && answer.output == "\(digest)\n", "\(round): \(answer.stderr)")
        #expect(registry.blobs(of: name) == all && registry.digest(of: "v1", in: name) == digest)
        let sent = try logged(all) {
          try registry.exchanges.filter { $0.path.hasPrefix("/v2/\(name)/") }.compactMap(\.uploaded)
        }
        let again = finished.filter { blob in sent.count { $0 == blob } > 1 }
        #expect(again == [], "round \(round)")
      }
      moments.expectTelling(Self.rounds)
    }
    try room.expectValid("layout")
  }

  @Test(
    "U28: a pull killed at any moment is finished by the next, which fetches no finished blob again"
  )
  func pull() async throws {
    let digest = try room.assemble("-o", "layout")
    let all = try blobs(in: "layout")
    try await DockerRegistry.run { registry in
      let image = registry.reference("kill/full:v1")
      try room.forge(at: registry, "push", "oci:layout", image)
      let full = try ContinuousClock().measure {
        try room.forge(at: registry, "pull", image, "oci:full:v1")
      }
      var moments = Moments(within: full)
      for round in 1...Self.rounds {
        let requests = try registry.exchanges.count
        let pull = ["pull", image, "oci:pulled\(round):v1"]
        let environment = try room.environment(for: registry)
          .merging(["OCIFORGE_CACHE": room("cache\(round)")]) { $1 }
        try moments.kill(
          room.start(pull, environment: environment, name: "killed"), in: round, of: all.count
        ) { try blobs(in: "pulled\(round)").count }
        let finished = try blobs(in: "pulled\(round)").union(blobs(in: "cache\(round)"))
        moments.note(done: finished.count, of: all.count)

        let answer = try room.forge(pull, environment: environment)
        try #require(
          answer.status == 0 && answer.output == "\(digest)\n", "\(round): \(answer.stderr)")
        #expect(try blobs(in: "pulled\(round)") == all)
        let fetched = try logged(all.subtracting([digest])) {
          try registry.exchanges.dropFirst(requests)
            .filter { $0.method == "GET" && $0.path.contains("/blobs/") }
            .compactMap { $0.path.split(separator: "/").last.map(String.init) }
        }
        let again = finished.filter { blob in fetched.count { $0 == blob } > 1 }
        #expect(again == [], "round \(round)")
        if round.isMultiple(of: 10) { try room.expectValid("pulled\(round)") }
        try FileManager.default.removeItem(atPath: room("pulled\(round)"))
      }
      moments.expectTelling(Self.rounds)
    }
  }

  /// When processes are killed, so that a test cannot pass by missing every moment.
  private struct Moments {
    private var window: Duration
    private var killed = 0
    private var partial = 0

    init(within full: Duration) { window = full }

    /// In odd rounds at any moment; in even ones once so many blobs are done, each number in its turn.
    mutating func kill(
      _ process: Process, in round: Int, of blobCount: Int, done: () throws -> Int
    ) rethrows {
      if round.isMultiple(of: 2) {
        let wanted = round / 2 % (blobCount - 1) + 1
        while process.isRunning, try done() < wanted { usleep(500) }
      } else {
        usleep(UInt32(Double.random(in: 0...1) * Double(window / .microseconds(1))))
      }
      Glibc.kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      // The first measurement may have been of a busier or an idler machine.
      let isKilled = process.terminationReason == .uncaughtSignal
      if isKilled { killed += 1 }
      if !round.isMultiple(of: 2) { window = window * (isKilled ? 1.05 : 0.8) }
    }

    mutating func note(done: Int, of all: Int) {
      if done > 0 && done < all { partial += 1 }
    }

    func expectTelling(_ rounds: Int) {
      #expect(killed > rounds / 3, "the kills came too late to prove anything")
      #expect(partial > 0, "no kill came between two blobs")
    }
  }

  /// What the registry's log tells of blobs, once it tells of all of these: an answer stands there a moment after
  /// its client has it.
  private func logged(_ blobs: Set<String>, _ told: () throws -> [String]) throws -> [String] {
    for _ in 0..<500 {
      let found = try told()
      if blobs.isSubset(of: found) { return found }
      usleep(20_000)
    }
    Issue.record("the registry's log does not tell of every blob")
    return try told()
  }

  /// The digests of the files below a folder that are named like blobs.
  private func blobs(in folder: String) throws -> Set<String> {
    let paths = FileManager.default.enumerator(atPath: room(folder))?.allObjects ?? []
    var found: Set<String> = []
    for case let path as String in paths {
      let names = path.split(separator: "/").suffix(2)
      guard let name = names.last, names.first == "sha256", name.count == 64 else { continue }
      found.insert("sha256:\(name)")
    }
    return found
  }
}
