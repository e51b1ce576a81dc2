import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: registryPeers("skopeo")))
struct RegistryConcurrencyTests {
  private static let count = 8
  private let room: Room

  init() throws {
    room = try Room()
    try room.directory.write("payload", noise(4 << 20))
    try room.directory.write(
      "image.yaml",
      """
      formatVersion: 1
      name: sample
      parameters: { number: "0" }
      platforms: [linux/amd64]
      from: scratch
      layers:
        - name: shared
          entries:
            - { path: /payload, file: payload }
        - name: own
          entries:
            - { path: /number, text: "${number}" }
      """)
  }

  @Test("U20: eight pushers of one image to one repository all end well")
  func onePlace() async throws {
    let digest = try room.assemble("-o", "layout")
    try await DockerRegistry.run(.tokens(lifetime: 300)) { registry in
      let image = registry.reference("team/image:v1")
      let answers = try together(at: registry) { _ in ["push", "oci:layout", image] }
      #expect(answers == Array(repeating: "\(digest)\n", count: Self.count))
      #expect(registry.digest(of: "v1", in: "team/image") == digest)
      try room.skopeoCopy(at: registry, "--preserve-digests", "docker://\(image)", "oci:back:v1")
    }
    #expect(try room.rootDigest("back:v1") == digest)
    try room.expectValid("back:v1")
  }

  @Test("eight tags pushed at once, then pulled at once into one layout: none is lost")
  func oneLayout() async throws {
    let digests = try (0..<Self.count).map { number in
      try room.assemble("-o", "layout", "-t", "v\(number)", "--set", "number=\(number)")
    }
    #expect(Set(digests).count == Self.count)
    try await DockerRegistry.run { registry in
      let image = registry.reference("team/image")
      let pushed = try together(at: registry) { ["push", "oci:layout:v\($0)", "\(image):v\($0)"] }
      #expect(pushed == digests.map { "\($0)\n" })
      let pulled = try together(at: registry) { ["pull", "\(image):v\($0)", "oci:back:v\($0)"] }
      #expect(pulled == digests.map { "\($0)\n" })
    }
    for (number, digest) in digests.enumerated() {
      #expect(try room.rootDigest("back:v\(number)") == digest)
      try room.expectValid("back:v\(number)")
    }
  }

  /// Runs the program so many times at once; every run must succeed. What each printed.
  private func together(
    at registry: DockerRegistry, _ arguments: (Int) -> [String]
  ) throws -> [String] {
    let environment = try room.environment(for: registry)
    let processes = try (0..<Self.count).map {
      try room.start(arguments($0), environment: environment, name: "run\($0)")
    }
    for process in processes { process.waitUntilExit() }
    for (number, process) in processes.enumerated() {
      let errors = try room.read("run\(number).err")
      #expect(process.terminationStatus == 0, "\(errors)")
    }
    return try (0..<Self.count).map { try room.read("run\($0).out") }
  }
}
