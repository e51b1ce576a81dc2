import Assembly
import Bindings
import Definition
import Foundation
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("LayerWriter") struct LayerWriterTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private var store: BlobStore { BlobStore(root: directory.path.appending("layout")) }

  private func pack(_ plan: LayerPlan) throws -> PackedLayer {
    try LayerWriter(format: .v1, store: store, reporter: .silent).pack(plan, label: plan.name)
  }

  private static let long = String(repeating: "long-component-", count: 7)

  /// What goes into the layer, written down a second time for the Python encoder.
  private struct Case {
    let path: String
    let content: LayerEntry.Content
    let listing: String
    var mode: UInt32 = 0o644
    var owner = Owner(uid: 0, gid: 0)
    var xattrs: [ExtendedAttribute] = []
  }

  @Test("stock Python derives the same tar from a listing and the files")
  func independentCheck() throws {
    let blob = try directory.write("blob", LayerEncoderTests.noise(3_000_001))
    let empty = try directory.write("empty", [])
    let text = try directory.write("text", "hello\n")
    let long = Self.long
    let capability = ExtendedAttribute(
      name: Array("security.capability".utf8),
      value: [1, 0, 0, 2, 0, 32, 0, 0] + [UInt8](repeating: 0, count: 12))
    let cases = [
      Case(
        path: "/bin/blob", content: .file(blob), listing: "\"source\": \"\(blob)\"", mode: 0o755),
      Case(path: "/empty", content: .file(empty), listing: "\"source\": \"\(empty)\""),
      Case(
        path: "/etc/café", content: .text(Array("hello\n".utf8)), listing: "\"source\": \"\(text)\""
      ),
      Case(
        path: "/\(long)/\(long)", content: .text(Array("hello\n".utf8)),
        listing: "\"source\": \"\(text)\""),
      Case(
        path: "/\(long)\(long)x", content: .text(Array("hello\n".utf8)),
        listing: "\"source\": \"\(text)\""),
      Case(
        path: "/owned", content: .text(Array("hello\n".utf8)), listing: "\"source\": \"\(text)\"",
        mode: 0o4711, owner: Owner(uid: 300_000, gid: 4_294_967_294)),
      Case(
        path: "/capable", content: .text(Array("hello\n".utf8)),
        listing:
          "\"source\": \"\(text)\", \"xattrs\": {\"security.capability\": \"\\u0001\\u0000\\u0000\\u0002\\u0000 \\u0000\\u0000\(String(repeating: "\\u0000", count: 12))\", \"user.a\": \"b\"}",
        xattrs: [capability, ExtendedAttribute(name: Array("user.a".utf8), value: [98])]),
      Case(
        path: "/short-link", content: .symlink(target: Array("etc/café".utf8)),
        listing: "\"link\": \"etc/café\"", mode: 0o777),
      Case(
        path: "/long-link", content: .symlink(target: Array("\(long)é\(long)".utf8)),
        listing: "\"link\": \"\(long)é\(long)\"", mode: 0o777),
    ]
    var planner = try Sample.planner(in: directory, epoch: 1_700_000_000)
    let layer = try pack(
      try planner.plan(
        Sample.layer(
          try cases.map {
            try Sample.entry(
              $0.path, $0.content, mode: $0.mode, owner: $0.owner, xattrs: $0.xattrs)
          })))

    var lines = ["bin", "etc", long].map {
      #"{"path": "\#($0)", "type": "directory", "mode": 493, "mtime": 1700000000}"#
    }
    for item in cases {
      let type = if case .symlink = item.content { "symlink" } else { "file" }
      lines.append(
        #"{"path": "\#(item.path.dropFirst())", "type": "\#(type)", "mode": \#(item.mode), "uid": \#(item.owner.uid), "gid": \#(item.owner.gid), "mtime": 1700000000, \#(item.listing)}"#
      )
    }
    let derived = try run(
      "python3", [repository.appending("tools/verify-layer.py").string],
      environment: ["PYTHONUTF8": "1"], input: Array(lines.joined(separator: "\n").utf8))
    #expect(derived.status == 0, "\(derived.stderr)")
    #expect(try Digest.sha256(of: derived.stdout) == layer.diffID.digest)
  }

  @Test("the blob is what its descriptor says and holds what its DiffID says")
  func descriptor() throws {
    var planner = try Sample.planner(in: directory)
    let layer = try pack(
      try planner.plan(Sample.layer([try Sample.entry("/etc/hello", .text(Array("hello\n".utf8)))]))
    )
    let blob = try FileSystem.readAll(store.path(of: layer.descriptor.digest), limit: 1 << 20)
    #expect(Int64(blob.count) == layer.descriptor.size)
    #expect(try Digest.sha256(of: blob) == layer.descriptor.digest)
    #expect(layer.descriptor.mediaType == .layerGzip)
    // The golden vector of the design for these two entries.
    #expect(layer.diffID.digest.hex.hasPrefix("c252efc7"))
    let tar = try run("gzip", ["-dc"], input: blob)
    #expect(try Digest.sha256(of: tar.stdout) == layer.diffID.digest)
  }

  @Test(
    "bsdtar lists names, modes, owners and links as they were planned",
    .enabled(if: peers("bsdtar")))
  func bsdtar() throws {
    var planner = try Sample.planner(in: directory)
    let layer = try pack(
      try planner.plan(
        Sample.layer([
          try Sample.entry("/a", .text([104, 105]), mode: 0o4755, owner: Owner(uid: 12, gid: 34)),
          try Sample.entry("/b", .hardlink(target: ImagePath(absolute: "/a"))),
          try Sample.entry("/c", .symlink(target: Array("a".utf8))),
        ])))
    let listing = try run(
      "bsdtar", ["-tvf", store.path(of: layer.descriptor.digest).string],
      environment: ["TZ": "UTC", "LC_ALL": "C"])
    let lines = listing.output.split(separator: "\n").map {
      $0.split(separator: " ").map(String.init)
    }
    #expect(
      lines.map { [$0[0], $0[2], $0[3], $0[4]] + $0[8...] } == [
        ["-rwsr-xr-x", "12", "34", "2", "a"],
        ["hrwsr-xr-x", "12", "34", "0", "b", "link", "to", "a"],
        ["lrwxrwxrwx", "0", "0", "0", "c", "->", "a"],
      ])
  }

  @Test("a file that changes after planning is an error, and no blob appears")
  func changed() throws {
    let file = try directory.write("data", "first")
    var planner = try Sample.planner(in: directory)
    let plan = try planner.plan(Sample.layer([try Sample.entry("/data", .file(file))]))
    try directory.write("data", "longer than before")
    #expect(throws: AssemblyError.changedWhileReading(file.string)) { try pack(plan) }
    #expect(!FileManager.default.fileExists(atPath: store.root.appending("blobs").string))
  }

  @Test("a file that says it is empty and is not is an error")
  func unsized() throws {
    var planner = try Sample.planner(in: directory)
    let plan = try planner.plan(
      Sample.layer([try Sample.entry("/version", .file("/proc/version"))]))
    #expect(throws: AssemblyError.changedWhileReading("/proc/version")) { try pack(plan) }
  }
}
