import NIOHTTP1
import OCISpec
import Testing

@testable import Server

@Suite("referrers") struct ReferrersTests {
  @Test("manifests are listed by their subject, whatever repository and index they are in")
  func list() async throws {
    let desk = try Desk()
    let image = try await desk.push(desk.manifest().json, as: "v1")
    #expect(try await referrers(desk, of: image).isEmpty)
    let signature = try await push(desk, "signature", subject: image, type: "application/sig")
    let plain = try await push(desk, "plain", subject: image, type: nil)
    var index = ImageIndex(
      manifests: [try await push(desk, "child", subject: image, type: "application/child")])
    index.subject = image
    index.artifactType = "application/list"
    index.annotations = ["k": "v"]
    let list = try await desk.push(index.json, as: "list", in: "b")
    let other = try await desk.push(desk.manifest("other").json, as: "other")
    try await push(desk, "elsewhere", subject: other, type: "application/sig")

    let found = try await referrers(desk, of: image)
    #expect(found.map(\.digest) == found.map(\.digest).sorted())
    #expect(Set(found.map(\.digest)).isSuperset(of: [signature, plain, list].map(\.digest)))
    #expect(found.count == 4)
    let types = Dictionary(uniqueKeysWithValues: found.map { ($0.digest, $0.artifactType) })
    #expect(types[signature.digest] == "application/sig")
    #expect(types[plain.digest] == MediaType.imageConfig.rawValue)
    #expect(types[list.digest] == "application/list")
    let listed = try #require(found.first { $0.digest == list.digest })
    #expect(listed.annotations == ["k": "v"])
    #expect(listed.size == list.size)
    #expect(listed.mediaType == .imageIndex)
  }

  @Test("a filter leaves the other types out and is confirmed")
  func filter() async throws {
    let desk = try Desk()
    let image = try await desk.push(desk.manifest().json, as: "v1")
    let wanted = try await push(desk, "one", subject: image, type: "application/x+json")
    try await push(desk, "two", subject: image, type: "application/y")
    for text in ["application/x+json", "application%2Fx%2Bjson"] {
      let answer = try await desk.ask(
        .GET, "/v2/a/referrers/\(image.digest)?artifactType=\(text)")
      #expect(answer["OCI-Filters-Applied"] == "artifactType")
      #expect(try ImageIndex(json: answer.json).manifests.map(\.digest) == [wanted.digest])
    }
  }

  @Test("a push says whose subject it was taken for, also of one that is not here yet")
  func subject() async throws {
    let desk = try Desk()
    var absent = try desk.store("absent")
    absent.digest = try Digest(parsing: digest(of: "not here"))
    var manifest = try desk.manifest()
    manifest.subject = absent
    let pushed = try await desk.ask(
      .PUT, "/v2/a/manifests/v1", [:], pieces: [CanonicalJSON.encode(manifest.json)])
    #expect(pushed.status == 201)
    #expect(pushed["OCI-Subject"] == "\(absent.digest)")
    #expect(try await referrers(desk, of: absent).count == 1)
    #expect(try await desk.ask(.DELETE, "/v2/a/manifests/v1").status == 202)
  }

  @Test("a list that is too long for one answer comes in pages")
  func pages() async throws {
    let desk = try Desk()
    let image = try await desk.push(desk.manifest().json, as: "v1")
    for seed in ["one", "two", "three"] {
      try await push(
        desk, seed, subject: image, type: "application/x+y",
        annotations: ["long": String(repeating: "x", count: 1_500_000)])
    }
    var target = "/v2/a/referrers/\(image.digest)?artifactType=application/x%2By"
    var counts: [Int] = []
    while counts.count < 4 {
      let answer = try await desk.ask(.GET, target)
      counts.append(try ImageIndex(json: answer.json).manifests.count)
      #expect(answer.body.count < 4 << 20)
      guard let link = answer["Link"] else { break }
      let match = try #require(link.wholeMatch(of: /<(.+)>; rel="next"/))
      target = String(match.1)
    }
    #expect(counts == [2, 1])
  }

  @Test("nothing refers to what is not here, and a digest must be one")
  func none() async throws {
    let desk = try Desk()
    let answer = try await desk.ask(.GET, "/v2/a/referrers/\(digest(of: "x"))")
    #expect(answer.status == 200)
    #expect(answer["Content-Type"] == MediaType.imageIndex.rawValue)
    #expect(try answer.json["manifests"] == .array([]))
    #expect(try await desk.ask(.GET, "/v2/a/referrers/sha256:x").code == "DIGEST_INVALID")
  }

  @discardableResult
  private func push(
    _ desk: Desk, _ seed: String, subject: Descriptor, type: String?,
    annotations: [String: String] = [:]
  ) async throws -> Descriptor {
    var manifest = try desk.manifest(seed)
    manifest.subject = subject
    manifest.artifactType = type
    manifest.annotations = annotations
    return try await desk.push(manifest.json)
  }

  private func referrers(_ desk: Desk, of descriptor: Descriptor) async throws -> [Descriptor] {
    let answer = try await desk.ask(.GET, "/v2/a/referrers/\(descriptor.digest)")
    try #require(answer.status == 200)
    return try ImageIndex(json: answer.json).manifests
  }
}
