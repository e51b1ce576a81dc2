import Foundation
import NIOHTTP1
import SystemPackage
import TestSupport
import Testing

/// `assemble --push`, `--no-layout`, and bases of every kind.
@Suite("assemble --push") struct AssemblePushTests {
  private let workshop: Workshop

  init() throws { workshop = try Workshop() }

  /// An image that adds one file to a base.
  private func write(_ file: String = "app/image.yaml", on base: String) throws {
    try workshop.folder.write(
      file,
      """
      formatVersion: 1
      name: app
      platforms: [linux/amd64]
      from: \(base)
      layers:
        - name: configuration
          entries:
            - { path: /etc/app.conf, text: "verbose = no\\n" }

      """)
  }

  /// The layers of an image, by its manifest.
  private func layers(of reference: String) throws -> [String] {
    let raw = try workshop.run(["inspect", "--raw", "-q", reference])
    let manifest = try JSONSerialization.jsonObject(with: Data(raw.stdout)) as? [String: Any]
    return try #require(manifest?["layers"] as? [[String: Any]]).compactMap {
      $0["digest"] as? String
    }
  }

  private func annotations(of reference: String) throws -> [String: String] {
    let raw = try workshop.run(["inspect", "--raw", "-q", reference])
    let manifest = try JSONSerialization.jsonObject(with: Data(raw.stdout)) as? [String: Any]
    return (manifest?["annotations"] as? [String: String]) ?? [:]
  }

  @Test("several tags and registries get what the layout has, and a repeat sends nothing")
  func several() async throws {
    try workshop.folder.write("image.yaml", Sample.two)
    try await FaultyRegistry.serve { one in
      try await FaultyRegistry.serve { two in
        let assemble = [
          "assemble", "--progress", "none", "--push", "\(one.host)/a:v1", "--push",
          "\(two.host)/b:v1", "--push", "\(one.host)/a:latest",
        ]
        try workshop.expect(
          assemble, stdout: "\(Sample.twoDigest)\n",
          stderr: """
            pushed \(one.host)/a: 5 blobs sent (1.8 kB)
            pushed \(two.host)/b: 5 blobs sent (1.8 kB)

            """)
        #expect(one.putManifests.suffix(2) == ["v1", "latest"])
        for image in ["\(one.host)/a:v1", "\(one.host)/a:latest", "\(two.host)/b:v1"] {
          try workshop.expectValid(image)
        }
        let sent = one.requests.count
        try workshop.expect(
          assemble, stdout: "\(Sample.twoDigest)\n",
          stderr: """
            pushed \(one.host)/a: 5 already there
            pushed \(two.host)/b: 5 already there

            """)
        #expect(one.requests.dropFirst(sent).allSatisfy { [.GET, .HEAD].contains($0.method) })
      }
    }
    try workshop.expectValid("oci:build/two")
  }

  @Test("--json names what was pushed")
  func json() async throws {
    try workshop.folder.write("image.yaml", Sample.one)
    try await FaultyRegistry.serve { registry in
      let finished = try workshop.run([
        "assemble", "-q", "--json", "--no-layout", "--push", "\(registry.host)/a:v1",
      ])
      #expect(finished.status == 0 && finished.stderr == "", "\(finished.stderr)")
      let answer =
        try JSONSerialization.jsonObject(with: Data(finished.stdout)) as? [String: Any]
      #expect(answer?["pushed"] as? [String] == ["\(registry.host)/a:v1"])
      #expect(answer?["digest"] as? String == Sample.oneDigest)
      #expect(answer?["layout"] == nil || answer?["layout"] is NSNull)
      try workshop.expectValid("\(registry.host)/a:v1")
    }
  }

  @Test("--no-layout leaves nothing but what was pushed and the cache")
  func noLayout() async throws {
    try workshop.folder.write("image.yaml", Sample.one)
    try await FaultyRegistry.serve { registry in
      try workshop.expect(
        ["assemble", "--progress", "none", "--no-layout", "--push", "\(registry.host)/a:v1"],
        stdout: "\(Sample.oneDigest)\n",
        stderr: "pushed \(registry.host)/a: 2 blobs sent (489 B)\n")
      try workshop.expectValid("\(registry.host)/a:v1")
    }
    #expect(workshop.names(in: ".") == ["cache", "image.yaml"])
    try workshop.expect(
      ["assemble", "-q", "--no-layout", "--archive", "one.tar"], stdout: "\(Sample.oneDigest)\n")
    try workshop.expectValid("oci-archive:one.tar")
  }

  @Test(
    "a base layer is fetched once for its listing, then never again, and never sent where it is")
  func baseLayers() async throws {
    try workshop.assemble(Sample.one, ["-o", "base"])
    try await FaultyRegistry.serve { registry in
      let base = "\(registry.host)/core/base:v1"
      try workshop.expect(["push", "-q", "oci:base", base], stdout: "\(Sample.oneDigest)\n")
      let inherited = try layers(of: "oci:base")
      let sent = registry.uploadedBlobs
      try write(on: base)
      var digests: Set<String> = []
      for run in 0..<2 {
        // Another tag, or nothing would have to be sent.
        let finished = try workshop.run([
          "assemble", "app", "--progress", "none", "--no-layout", "--push",
          "\(registry.host)/team/app:run\(run)",
        ])
        #expect(finished.status == 0, "\(finished.stderr)")
        // The name of the base, which has a port, is in the manifest, so that its size differs.
        let said = finished.stderr.replacing(/\([0-9.]+ k?B\)/, with: "(SIZE)")
        #expect(
          said == """
            from \(base) is \(Sample.oneDigest)
            pushed \(registry.host)/team/app: \(run == 0 ? "2 blobs sent (SIZE), 1" : "3") already there

            """)
        digests.insert(finished.output)
        #expect(registry.fetchedBlobs.filter(inherited.contains) == inherited)
      }
      #expect(digests.count == 1)
      #expect(registry.uploadedBlobs.dropFirst(sent.count).filter(inherited.contains) == [])
      try workshop.expectValid("\(registry.host)/team/app:run1")
      #expect(try layers(of: "\(registry.host)/team/app:run1").starts(with: inherited))
    }
  }

  @Test("another registry gets the base's layers, too, once")
  func baseElsewhere() async throws {
    try workshop.assemble(Sample.one, ["-o", "base"])
    try await FaultyRegistry.serve { near in
      try await FaultyRegistry.serve { far in
        let base = "\(near.host)/core/base:v1"
        try workshop.expect(["push", "-q", "oci:base", base], stdout: "\(Sample.oneDigest)\n")
        try write(on: base)
        for tag in ["v1", "v2"] {
          let finished = try workshop.run([
            "assemble", "app", "-q", "--no-layout", "--push", "\(far.host)/app:\(tag)",
          ])
          #expect(finished.status == 0 && finished.stderr == "", "\(finished.stderr)")
          try workshop.expectValid("\(far.host)/app:\(tag)")
        }
        #expect(far.uploadedBlobs.count == 3)
        let inherited = try layers(of: "oci:base")
        #expect(inherited.allSatisfy(far.uploadedBlobs.contains))
      }
    }
  }

  @Test("the base's name and digest are in the annotations, by tag and by digest")
  func annotated() async throws {
    try workshop.assemble(Sample.one, ["-o", "base"])
    try await FaultyRegistry.serve { registry in
      let base = "\(registry.host)/core/base:v1"
      try workshop.expect(["push", "-q", "oci:base", base], stdout: "\(Sample.oneDigest)\n")
      for reference in [base, "\(base)@\(Sample.oneDigest)"] {
        try write(on: reference)
        let finished = try workshop.run(["assemble", "app", "-q", "-o", "app-layout"])
        #expect(finished.status == 0, "\(finished.stderr)")
        let annotations = try annotations(of: "oci:app-layout")
        #expect(annotations["org.opencontainers.image.base.name"] == base)
        #expect(annotations["org.opencontainers.image.base.digest"] == Sample.oneDigest)
      }
    }
    try workshop.expectValid("oci:app-layout")
  }

  @Test(
    "a base may be a layout, an archive, or another definition's folder or file",
    arguments: [
      "oci:BASE/layout", "oci:BASE/layout:latest", "oci-archive:BASE/one.tar",
      "docker-archive:BASE/docker.tar", "../base", "../base/image.yaml", "./../base",
    ])
  func localBases(_ base: String) throws {
    try workshop.folder.write("base/image.yaml", Sample.one)
    try workshop.expect(
      [
        "assemble", "base", "-q", "-o", "base/layout", "--archive", "base/one.tar",
        "--docker-archive", "base/docker.tar",
      ], stdout: "\(Sample.oneDigest)\n")
    // What a definition names is relative to it.
    try write(on: base.replacing("BASE", with: "../base"))
    let finished = try workshop.run(["assemble", "app", "--progress", "none", "-o", "built"])
    try #require(finished.status == 0 && finished.stderr == "", "\(finished.stderr)")
    let (built, base) = (try layers(of: "oci:built"), try layers(of: "oci:base/layout"))
    #expect(built.starts(with: base) && built.count == 2)
    #expect(
      try annotations(of: "oci:built")["org.opencontainers.image.base.digest"]
        == Sample.oneDigest)
    try workshop.expectValid("oci:built")
    try workshop.expect(["cat", "oci:built", "/etc/motd"], stdout: "hello\n")
    try workshop.expect(["cat", "oci:built", "/etc/app.conf"], stdout: "verbose = no\n")
  }

  @Test("--offline takes a base by digest out of the cache, and says why a tag is of no use")
  func offline() async throws {
    try workshop.assemble(Sample.one, ["-o", "base"])
    try await FaultyRegistry.serve { registry in
      let base = "\(registry.host)/core/base:v1"
      try workshop.expect(["push", "-q", "oci:base", base], stdout: "\(Sample.oneDigest)\n")
      try write(on: "\(base)@\(Sample.oneDigest)")
      try workshop.expect(
        ["assemble", "app", "--offline", "-o", "built"], status: 69,
        stderr:
          "error: app/image.yaml:4:7: from: \(base)@\(Sample.oneDigest) is not in the cache, and --offline forbids the network; run once without --offline\n"
      )
      let online = try workshop.run(["assemble", "app", "-q", "-o", "built"])
      try #require(online.status == 0, "\(online.stderr)")
      let before = registry.requests.count
      try FileManager.default.removeItem(atPath: workshop.path.appending("built").string)
      try workshop.expect(
        ["assemble", "app", "-q", "--offline", "-o", "built"], stdout: online.output)
      #expect(registry.requests.count == before)
      try workshop.expectValid("oci:built")

      try write(on: base)
      try workshop.expect(
        ["assemble", "app", "--offline", "-o", "built"], status: 69,
        stderr:
          "error: app/image.yaml:4:7: from: what \(base) means only its registry says, and --offline forbids the network; add the digest, \(base)@DIGEST, that a run without --offline tells\n"
      )
      #expect(registry.requests.count == before)
    }
  }

  @Test("a base that is not there is an error with its place in the definition")
  func missingBase() async throws {
    try await FaultyRegistry.serve { registry in
      try write(on: "\(registry.host)/core/base:v9")
      let finished = try workshop.run(["assemble", "app", "-q"])
      #expect(finished.status == 66)
      #expect(finished.output == "")
      #expect(
        finished.stderr.hasPrefix(
          "error: app/image.yaml:4:7: from: pulling \(registry.host)/core/base:v9: GET http://\(registry.host)/v2/core/base/manifests/v9: status 404"
        ), "\(finished.stderr)")
      #expect(!workshop.exists("build"))
    }
  }

  @Test("options that contradict each other exit 64 before anything is done")
  func usage() throws {
    try workshop.folder.write("image.yaml", Sample.one)
    for (arguments, problem) in [
      (["--no-layout"], "--no-layout leaves nothing; add --push, --archive or --docker-archive"),
      (
        ["--no-layout", "-o", "x", "--push", "127.0.0.1:1/a"],
        "--no-layout and -o exclude each other"
      ),
      (["--offline", "--push", "127.0.0.1:1/a"], "--offline and --push exclude each other"),
      (
        ["--push", "127.0.0.1:1/a", "--scan-on-push"],
        "--scan-on-push, --immutable-tags, --lifecycle-policy and --repository-policy go with --create-repository"
      ),
    ] {
      let finished = try workshop.run(["assemble"] + arguments)
      #expect(finished.status == 64)
      #expect(finished.stderr.hasPrefix("error: \(problem)\n"), "\(finished.stderr)")
    }
    try workshop.expect(
      ["assemble", "--push", "oci:x"], status: 64,
      stderr: "error: expected an image in a registry, HOST/PATH[:TAG], got \"oci:x\"\n")
    #expect(!workshop.exists("build"))
  }
}
