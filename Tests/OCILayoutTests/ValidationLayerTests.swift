import Bindings
import Foundation
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("ImageValidator")
struct ValidationLayerTests {
  /// Entries of a second layer, and the one rule they break.
  struct BrokenLayer: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let members: [TarMember]
    let pointer: String
    let rule: String
    let severity: Violation.Severity

    init(
      _ name: String, _ members: [TarMember], at pointer: String, _ rule: String,
      _ severity: Violation.Severity = .must
    ) {
      testDescription = name
      self.members = members
      self.pointer = pointer
      self.rule = rule
      self.severity = severity
    }
  }

  static let changes = "layer.md: representing changes"
  static let brokenLayers: [BrokenLayer] = [
    .init("one path twice", [.file("a"), .file("a")], at: "/a", changes),
    .init("one path with and without ./", [.file("a"), .file("./a")], at: "/a", changes),
    .init("a directory twice", [.directory("d"), .directory("./d")], at: "/d", changes),
    .init("a file below a file", [.file("a"), .file("a/b")], at: "/a/b", changes),
    .init("a file below a later file", [.file("a/b/c"), .file("a")], at: "/a/b/c", changes),
    .init("an absolute name", [.file("/a")], at: "/a", "layer.md: file paths"),
    .init("a name with ..", [.file("a/../b")], at: "a/../b", "layer.md: file paths"),
    .init("a bare .wh.", [.file(".wh.")], at: "/.wh.", "layer.md: whiteouts"),
    .init("a whiteout of ..", [.file("a/.wh...")], at: "/a/.wh...", "layer.md: whiteouts"),
    .init(
      "a whiteout of a whiteout", [.file(".wh..wh.a")], at: "/.wh..wh.a", "layer.md: whiteouts"),
    .init("a whiteout with content", [.file(".wh.a", "x")], at: "/.wh.a", "layer.md: whiteouts"),
    .init(
      "a whiteout that is a directory", [.directory(".wh.a")], at: "/.wh.a", "layer.md: whiteouts"),
    .init("a file below a whiteout", [.file("d/.wh.a/b")], at: "/d/.wh.a/b", "layer.md: whiteouts"),
    .init(
      "whiteouts behind their siblings are told once",
      [.file("d/a"), .file("d/.wh.b"), .file("d/.wh.c")], at: "/d/.wh.b", "layer.md: whiteouts",
      .should),
    .init("a hardlink to nothing", [.hardlink("a", to: "b")], at: "/a", "layer.md: hardlinks"),
    .init(
      "a hardlink to a later file", [.hardlink("a", to: "b"), .file("b")], at: "/a",
      "layer.md: hardlinks"),
    .init(
      "a hardlink to another layer's file", [.hardlink("a", to: "bin/sh")], at: "/a",
      "layer.md: hardlinks"),
    .init(
      "a hardlink to a directory", [.directory("d"), .hardlink("a", to: "d")], at: "/a",
      "layer.md: hardlinks"),
    .init("a hardlink to itself", [.hardlink("a", to: "a")], at: "/a", "layer.md: hardlinks"),
    .init(
      "a hardlink outside", [.file("b"), .hardlink("a", to: "../b")], at: "/a",
      "layer.md: hardlinks"),
  ]

  @Test("a layer breaks one rule", arguments: brokenLayers)
  func layer(_ broken: BrokenLayer) throws {
    let directory = try TemporaryDirectory()
    try TestImage([[.file("bin/sh")], broken.members]).write(to: directory.path, directory)
    let violations = try ImageValidator.validateLayout(root: directory.path)
    #expect(violations.count == 1, "\(violations)")
    let violation = try #require(violations.first)
    #expect(violation.subject.hasPrefix("layer 2 sha256:"))
    #expect(violation.pointer == broken.pointer)
    #expect(violation.rule == broken.rule)
    #expect(violation.severity == broken.severity)
  }

  @Test(
    "a layer that layer.md allows breaks no rule",
    arguments: [
      [], [.directory("./"), .directory("./d"), .file("./d/a"), .hardlink("./b", to: "./d/a")],
      [.file(".wh.bin"), .file("d/.wh..wh..opq"), .file("d/a")],
      [.symlink("l", to: "/etc"), .file("l/a"), .fifo("p")],
      [.file("d/a"), .directory("d"), .file("a"), .hardlink("b", to: "/a")],
    ] as [[TarMember]])
  func soundLayer(_ members: [TarMember]) throws {
    let directory = try TemporaryDirectory()
    try TestImage([[.file("bin/sh")], members]).write(to: directory.path, directory)
    #expect(try ImageValidator.validateLayout(root: directory.path) == [])
  }

  /// How a layer's blob is made of its tar, under which media type, and what is then wrong.
  struct Encoding: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let program: String?
    let type: MediaType
    var change: @Sendable ([UInt8]) -> [UInt8] = { $0 }
    let expected: [String]
  }

  @Test(
    "X10, X14: a layer's compression is what its media type says, to the last byte",
    arguments: [
      Encoding(testDescription: "gzip", program: "gzip", type: .layerGzip, expected: []),
      Encoding(testDescription: "zstd", program: "zstd", type: .layerZstd, expected: []),
      Encoding(testDescription: "none", program: nil, type: .layer, expected: []),
      Encoding(
        testDescription: "Docker's gzip", program: "gzip", type: .dockerLayerGzip, expected: []),
      Encoding(
        testDescription: "gzip in two members", program: "gzip", type: .layerGzip,
        change: { $0 + [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
        expected: []),
      Encoding(
        testDescription: "a tar called gzip", program: nil, type: .layerGzip,
        expected: [
          "media-types.md: layers: expected compression gzip as application/vnd.oci.image.layer.v1.tar+gzip says, found none"
        ]),
      Encoding(
        testDescription: "gzip called a tar", program: "gzip", type: .layer,
        expected: [
          "media-types.md: layers: expected compression none as application/vnd.oci.image.layer.v1.tar says, found gzip"
        ]),
      Encoding(
        testDescription: "gzip called zstd", program: "gzip", type: .layerZstd,
        expected: [
          "media-types.md: layers: expected compression zstd as application/vnd.oci.image.layer.v1.tar+zstd says, found gzip"
        ]),
      Encoding(
        testDescription: "xz called gzip", program: "xz", type: .layerGzip,
        expected: [
          "media-types.md: layers: expected compression gzip as application/vnd.oci.image.layer.v1.tar+gzip says, found xz"
        ]),
      Encoding(
        testDescription: "gzip with garbage behind", program: "gzip", type: .layerGzip,
        change: { $0 + [0, 0, 0] },
        expected: ["layer.md: compression: expected nothing behind the gzip stream, found 3 bytes"]),
      Encoding(
        testDescription: "gzip cut", program: "gzip", type: .layerGzip,
        change: { Array($0.dropLast(9)) },
        expected: ["layer.md: compression: cannot be read"]),
      Encoding(
        testDescription: "gzip without its trailer", program: "gzip", type: .layerGzip,
        change: { Array($0.dropLast(8)) },
        expected: ["layer.md: compression: cannot be read"]),
      Encoding(
        testDescription: "gzip with a wrong checksum", program: "gzip", type: .layerGzip,
        change: { $0.dropLast(8) + [$0[$0.count - 8] ^ 1] + $0.suffix(7) },
        expected: ["layer.md: compression: cannot be read"]),
      Encoding(
        testDescription: "zstd with garbage behind", program: "zstd", type: .layerZstd,
        change: { $0 + Array("garbage".utf8) },
        expected: ["layer.md: compression: cannot be read"]),
    ])
  func compression(_ encoding: Encoding) throws {
    if let program = encoding.program { guard peers(program) else { return } }
    let directory = try TemporaryDirectory()
    var image = try TestImage([[.file("a", String(repeating: "text", count: 100_000))]])
    let plain = image.layers[0].tar
    let bytes = try encoding.program.map { try compressed(plain, with: $0) } ?? plain
    image.layers[0].bytes = encoding.change(bytes)
    image.layers[0].type = encoding.type
    try image.write(to: directory.path, directory)
    let violations = try ImageValidator.validateLayout(root: directory.path)
    #expect(violations.count == encoding.expected.count, "\(violations)")
    for (violation, expected) in zip(violations, encoding.expected) {
      #expect("\(violation.rule): \(violation.text)".hasPrefix(expected), "\(violation)")
    }
  }

  @Test("P17: a layer whose DiffID is another's is told with both")
  func diffID() throws {
    let directory = try TemporaryDirectory()
    var image = try TestImage([[.file("a")]])
    let found = try Digest.sha256(of: image.layers[0].tar)
    image.layers[0].tar = []
    try image.write(to: directory.path, directory)
    let empty = try Digest.sha256(of: [])
    #expect(
      try ImageValidator.validateLayout(root: directory.path).map(\.text) == [
        "expected DiffID \(empty) as the config says, found \(found)"
      ])
  }

  @Test("X9: a layer that is no tar is told")
  func noTar() throws {
    let directory = try TemporaryDirectory()
    var image = try TestImage([[]])
    let bytes = Array(String(repeating: "this is no tar ", count: 100).utf8)
    image.layers[0] = (bytes, bytes, .layer)
    try image.write(to: directory.path, directory)
    let violations = try ImageValidator.validateLayout(root: directory.path)
    #expect(violations.map(\.rule) == ["layer.md: tar"])
  }

  @Test("X9: a cut tar is told")
  func cutTar() throws {
    let directory = try TemporaryDirectory()
    var image = try TestImage([[.file("a", String(repeating: "x", count: 5000))]])
    let bytes = Array(image.layers[0].tar.prefix(2000))
    image.layers[0] = (bytes, bytes, .layer)
    try image.write(to: directory.path, directory)
    #expect(
      try ImageValidator.validateLayout(root: directory.path).map(\.rule) == ["layer.md: tar"])
  }

  @Test("a layer of no bytes is an empty layer")
  func emptyStream() throws {
    let directory = try TemporaryDirectory()
    var image = try TestImage([[]])
    image.layers[0] = ([], [], .layer)
    try image.write(to: directory.path, directory)
    #expect(try ImageValidator.validateLayout(root: directory.path) == [])
  }

  // MARK: Blobs

  private func blobs(_ directory: TemporaryDirectory) throws -> [FilePath] {
    let folder = directory.path.appending("blobs/sha256")
    return try FileSystem.entries(of: folder).map { folder.appending(bytes: $0) }
  }

  @Test("every blob that is missing is told, and nothing else is")
  func missing() throws {
    let directory = try TemporaryDirectory()
    try TestImage([[.file("a")], [.file("b")]]).write(to: directory.path, directory)
    let index = try JSON(
      parsing: FileSystem.readAll(directory.path.appending("index.json"), limit: 9999))
    let manifest = try Descriptor(json: #require(index["manifests"]?.arrayValue?.first))
    for path in try blobs(directory) where path.lastComponent?.string != manifest.digest.hex {
      try FileSystem.remove(path)
    }
    let violations = try ImageValidator.validateLayout(root: directory.path)
    #expect(violations.map { $0.subject.split(separator: " ")[0] } == ["config", "layer", "layer"])
    #expect(Set(violations.map(\.rule)) == ["image-layout.md: blobs"])
  }

  @Test("every blob that was changed is told by its digest and size")
  func changed() throws {
    let directory = try TemporaryDirectory()
    try TestImage([[.file("a")]]).write(to: directory.path, directory)
    for path in try blobs(directory) {
      let bytes = try FileSystem.readAll(path, limit: 1 << 20)
      try Data(bytes + [0x20]).write(to: URL(fileURLWithPath: path.string))
    }
    let violations = try ImageValidator.validateLayout(root: directory.path)
    let subjects = violations.map { String($0.subject.split(separator: " ")[0]) }
    #expect(subjects == ["manifest", "manifest", "config", "config", "layer", "layer"])
    #expect(Set(violations.map(\.rule)) == ["descriptor.md: digest and size"])
  }

  @Test("a document that is no JSON is told with the byte")
  func noJSON() throws {
    let directory = try TemporaryDirectory()
    var image = try TestImage([[.file("a")]])
    image.change = { part, text in
      part == .config ? #"{"os":1,"os":2}"# : text
    }
    try image.write(to: directory.path, directory)
    let violations = try ImageValidator.validateLayout(root: directory.path)
    #expect(violations.map(\.rule) == ["considerations.md: JSON"])
    #expect(violations.first?.text.contains(#"duplicate key "os" at byte"#) == true)
  }

  @Test("the files of a layout are told by name")
  func layoutFiles() throws {
    let directory = try TemporaryDirectory()
    try directory.write("blobs/sha256/abc", "")
    try directory.write("blobs/sha256/" + String(repeating: "0", count: 64), "text")
    try directory.write("blobs/sha512/" + String(repeating: "1", count: 128), "text")
    try directory.write("blobs/file", "")
    let violations = try ImageValidator.validateLayoutFiles(root: directory.path)
    #expect(
      violations.map(\.subject) == [
        "oci-layout", "index.json", "blobs/file",
        "blobs/sha256/" + String(repeating: "0", count: 64), "blobs/sha256/abc",
        "blobs/sha512/" + String(repeating: "1", count: 128),
      ])
  }

  @Test("a sha512 blob is verified")
  func sha512() throws {
    let directory = try TemporaryDirectory()
    let bytes = Array("text".utf8)
    var hash = try MessageDigest(.sha512)
    try bytes.withUnsafeBytes { try hash.update($0) }
    let digest = try hash.finalize()
    try directory.write("blobs/sha512/\(digest.hex)", bytes)
    let descriptor = Descriptor(
      mediaType: MediaType(rawValue: "text/plain"), digest: digest, size: 4)
    let store = BlobStore(root: directory.path)
    #expect(try ImageValidator.validate(store: store, roots: [descriptor]) == [])
    try directory.write("blobs/sha512/\(digest.hex)", "tex!")
    #expect(try ImageValidator.validate(store: store, roots: [descriptor]).count == 1)
  }

  @Test("P9: embedded data of the right size but another content is told")
  func embeddedData() throws {
    let directory = try TemporaryDirectory()
    var image = try TestImage([[]])
    let store = BlobStore(root: directory.path)
    let blob = try store.put(Array("abc".utf8))
    image.change = { part, text in
      guard part == .manifest else { return text }
      return text.replacingOccurrences(
        of: #""layers":["#,
        with: #""layers":[{"mediaType":"text/plain","digest":"\#(blob)","size":3,"data":"YWJk"},"#)
    }
    try image.write(to: directory.path, directory)
    let violations = try ImageValidator.validateLayout(root: directory.path)
    #expect(
      violations.contains { $0.pointer == "/layers/0/data" && $0.rule == "descriptor.md: data" })
  }

  // MARK: Limits

  @Test("P7: indexes in indexes are followed to the limit and no further")
  func nesting() throws {
    let directory = try TemporaryDirectory()
    let store = BlobStore(root: directory.path)
    var inner = try store.put(
      CanonicalJSON.encode(ImageIndex(manifests: []).json), .imageIndex)
    for _ in 0..<7 {
      inner = try store.put(
        CanonicalJSON.encode(ImageIndex(manifests: [inner]).json), .imageIndex)
    }
    #expect(try ImageValidator.validate(store: store, roots: [inner]) == [])
    let outer = try store.put(
      CanonicalJSON.encode(ImageIndex(manifests: [inner]).json), .imageIndex)
    let violations = try ImageValidator.validate(store: store, roots: [outer])
    #expect(violations.map(\.rule) == ["limit of ociforge"])
  }

  struct Limit: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let change: @Sendable (inout ValidationLimits) -> Void
    let text: String
  }

  @Test(
    "X11: beyond a limit is a violation",
    arguments: [
      Limit(
        testDescription: "size", change: { $0.layerSize = 5000 },
        text: "expected at most 5000 bytes after decompression, found more"),
      Limit(
        testDescription: "expansion", change: { ($0.expansion, $0.freeExpansion) = (2, 10) },
        text: "bytes after decompression, found more"),
      Limit(
        testDescription: "entries", change: { $0.entryCount = 2 },
        text: "expected at most 2 entries, found more"),
      Limit(
        testDescription: "documents", change: { $0.documentSize = 430 },
        text: "expected at most 430 bytes, found "),
    ])
  func limits(_ limit: Limit) throws {
    let directory = try TemporaryDirectory()
    var image = try TestImage([
      [.file("a", String(repeating: "x", count: 100_000)), .file("b"), .file("c")]
    ])
    image.layers[0].bytes = try compressed(image.layers[0].tar, with: "gzip")
    image.layers[0].type = .layerGzip
    try image.write(to: directory.path, directory)
    var limits = ValidationLimits()
    limit.change(&limits)
    let violations = try ImageValidator.validateLayout(root: directory.path, limits: limits)
    #expect(!violations.isEmpty)
    #expect(
      violations.allSatisfy { $0.rule == "limit of ociforge" && $0.text.contains(limit.text) },
      "\(violations)")
  }

  @Test("a thousand broken rules of one layer do not become a million lines")
  func manyViolations() throws {
    let directory = try TemporaryDirectory()
    try TestImage([(0..<10).map { .file("/\($0)") }]).write(to: directory.path, directory)
    var limits = ValidationLimits()
    limits.violationsPerLayer = 3
    let violations = try ImageValidator.validateLayout(root: directory.path, limits: limits)
    #expect(violations.count == 4)
    #expect(violations.last?.text == "expected fewer broken rules, found 7 more than are shown")
  }

  @Test("an image that umoci made breaks no rule", .enabled(if: peers("umoci")))
  func umociImage() throws {
    let directory = try TemporaryDirectory()
    let root = directory.path.appending("layout").string
    for arguments in [
      ["init", "--layout", root], ["new", "--image", "\(root):a"],
      ["unpack", "--rootless", "--image", "\(root):a", "\(root)-bundle"],
    ] {
      let finished = try run("umoci", arguments)
      try #require(finished.status == 0, "\(finished.stderr)")
    }
    try directory.write("layout-bundle/rootfs/etc/passwd", "root")
    let packed = try run("umoci", ["repack", "--image", "\(root):b", "\(root)-bundle"])
    try #require(packed.status == 0, "\(packed.stderr)")
    let violations = try ImageValidator.validateLayout(root: FilePath(root))
    #expect(violations.filter { $0.severity == .must } == [])
  }
}
