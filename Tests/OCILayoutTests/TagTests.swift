import Bindings
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("Tags of a layout")
struct TagTests {
  private let folder: TemporaryDirectory
  private let layout: ImageLayout

  init() throws {
    folder = try TemporaryDirectory()
    layout = try ImageLayout.create(folder.path)
  }

  private func image(_ file: String) throws -> Descriptor {
    try SmallImage.store(in: layout.store, file: file)
  }

  @Test("are what the distribution-spec allows", arguments: ["", "-a", "a/b", "a:b", "a b"])
  func grammar(text: String) throws {
    #expect(throws: LayoutError.malformedTag(text)) { try layout.tag(image("a"), as: text) }
  }

  @Test("a tag moves to the new image and stays in its place")
  func moves() throws {
    let (a, b) = (try image("a"), try image("b"))
    try layout.tag(a, as: "one")
    try layout.tag(a, as: "two")
    try layout.tag(b, as: "one")
    #expect(try layout.tags().map(\.name) == ["one", "two"])
    #expect(try layout.tags().map(\.descriptor.digest) == [b.digest, a.digest])
    try layout.update { $0.manifests.append($0.manifests[0]) }
    try layout.tag(a, as: "one")
    #expect(try layout.tags().map(\.name) == ["one", "two"])
  }

  @Test("an image that is not here cannot be tagged")
  func refusesAbsent() throws {
    let absent = Descriptor(mediaType: .imageManifest, digest: try Digest.sha256(of: [1]), size: 1)
    #expect(throws: LayoutError.missingBlob(absent.digest, layout: folder.path.string)) {
      try layout.tag(absent, as: "v1")
    }
    #expect(try layout.tags().isEmpty)
  }

  @Test("untagging a name that is not there lists the ones that are")
  func untags() throws {
    try layout.tag(image("a"), as: "v1")
    try layout.tag(image("b"), as: "v2")
    #expect(
      throws: LayoutError.noSuchTag("v3", layout: folder.path.string, tags: ["v1", "v2"])
    ) { try layout.untag("v3") }
    #expect(try layout.untag("v1").digest == image("a").digest)
    #expect(try layout.tags().map(\.name) == ["v2"])
  }

  @Test("without a tag: the only image, else latest, else an error that lists them")
  func resolvesWithoutTag() throws {
    #expect(throws: LayoutError.noSuchTag("latest", layout: folder.path.string, tags: [])) {
      try layout.resolve()
    }
    let (a, b) = (try image("a"), try image("b"))
    try layout.tag(a, as: "v1")
    try layout.tag(a, as: "v1.0")
    #expect(try layout.resolve().digest == a.digest)
    try layout.tag(b, as: "v2")
    #expect(
      throws: LayoutError.ambiguousTag(
        nil, layout: folder.path.string, choices: ["v1", "v1.0", "v2"])
    ) { try layout.resolve() }
    try layout.tag(b, as: "latest")
    #expect(try layout.resolve().digest == b.digest)
    #expect(try layout.resolve(tag: "v1").digest == a.digest)
    #expect(
      throws: LayoutError.noSuchTag(
        "v3", layout: folder.path.string, tags: ["v1", "v1.0", "v2", "latest"])
    ) { try layout.resolve(tag: "v3") }
  }

  @Test("a tag finds the full reference that containerd writes, where only one fits")
  func resolvesFullReferences() throws {
    var a = try image("a"), b = try image("b")
    a.annotations[AnnotationKey.refName] = "localhost:5000/app:v1"
    b.annotations[AnnotationKey.refName] = "docker.io/library/app:v2"
    try layout.update { [a, b] in $0.manifests = [a, b] }
    #expect(try layout.resolve(tag: "v1").digest == a.digest)
    #expect(try layout.resolve(tag: "docker.io/library/app:v2").digest == b.digest)
    b.annotations[AnnotationKey.refName] = "docker.io/library/other:v1"
    try layout.update { [a, b] in $0.manifests = [a, b] }
    #expect(
      throws: LayoutError.ambiguousTag(
        "v1", layout: folder.path.string,
        choices: [a.digest.description, b.digest.description])
    ) { try layout.resolve(tag: "v1") }
  }

  @Test("a digest finds an entry or what is below it, under the tag where one is given")
  func resolvesDigests() throws {
    let index = try SmallImage.storeIndex(in: layout.store)
    let child = try layout.imageIndex(index).body.manifests[1]
    let other = try image("other")
    try layout.tag(index, as: "many")
    try layout.tag(other, as: "one")
    #expect(try layout.resolve(digest: index.digest).digest == index.digest)
    #expect(try layout.resolve(digest: child.digest) == child)
    #expect(try layout.resolve(tag: "many", digest: child.digest) == child)
    #expect(
      throws: LayoutError.noSuchDigest(child.digest, reference: "oci:\(folder.path):one")
    ) { try layout.resolve(tag: "one", digest: child.digest) }
  }

  @Test("tagging again copies an entry under its new name, without the one containerd gave it")
  func retags() throws {
    var a = try image("a")
    a.annotations = [
      AnnotationKey.refName: "v1", AnnotationKey.containerdImageName: "docker.io/library/a:v1",
      "kept": "yes",
    ]
    try layout.update { [a] in $0.manifests = [a] }
    let copy = try layout.retag(tag: "v1", digest: nil, as: "v2")
    #expect(copy.annotations == [AnnotationKey.refName: "v2", "kept": "yes"])
    #expect(try layout.index().manifests == [a, copy])
    let b = try image("b")
    try layout.tag(b, as: "v3")
    try layout.retag(tag: nil, digest: b.digest, as: "v1")
    #expect(try layout.resolve(tag: "v1").digest == b.digest)
    #expect(throws: LayoutError.self) { try layout.retag(tag: "v9", digest: nil, as: "v4") }
    #expect(throws: LayoutError.malformedTag("-")) {
      try layout.retag(tag: "v1", digest: nil, as: "-")
    }
    #expect(try layout.tags().map(\.name) == ["v1", "v2", "v3"])
  }

  @Test("tagging again holds on to what a name meant while others move it", .timeLimit(.minutes(1)))
  func retagsUnderOneLock() async throws {
    let images = [try image("a"), try image("b")], layout = layout
    try layout.tag(images[0], as: "moving")
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for round in 0..<50 {
          // Both names always change in one step.
          try layout.update { index in
            var one = images[round % 2], other = one
            one.annotations[AnnotationKey.refName] = "moving"
            other.annotations[AnnotationKey.refName] = "copy"
            index.manifests = [one, other]
          }
        }
      }
      group.addTask {
        for _ in 0..<50 {
          try layout.retag(tag: "moving", digest: nil, as: "copy")
          let tags = try layout.tags()
          #expect(tags[0].descriptor.digest == tags[1].descriptor.digest)
        }
      }
      try await group.waitForAll()
    }
  }
}
