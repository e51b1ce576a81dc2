import Bindings
import Foundation
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import OCILayout

/// Layers that no honest tool writes, as bases are read: registry.md, E, X1 to X14.
@Suite("Hostile layers") struct HostileLayerTests {
  private let directory: TemporaryDirectory
  private var store: BlobStore { BlobStore(root: directory.path) }

  init() throws { directory = try TemporaryDirectory() }

  /// What comes of layers: the paths of their file system, or what is wrong with them.
  private func read(_ layers: [UInt8]...) throws -> ImageFilesystem {
    try ImageFilesystem(store: store, layers: layers.map { try store.put($0, .layer) })
  }

  private func refusal(_ layers: [TarMember]...) -> (any Failure)? {
    refusal { try layers.map { try tar($0) } }
  }

  private func refusal(_ layers: () throws -> [[UInt8]]) -> (any Failure)? {
    do {
      let layers = try layers().map { try store.put($0, .layer) }
      _ = try ImageFilesystem(store: store, layers: layers)
      return nil
    } catch {
      if !(error is any Failure) { Issue.record(error) }
      return error as? any Failure
    }
  }

  /// A tar that Python's tarfile writes, which checks nothing.
  private func python(_ body: String) throws -> [UInt8] {
    let program = """
      import io, sys, tarfile
      out = io.BytesIO()
      t = tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT)
      def add(name, size=0, content=None, **more):
          info = tarfile.TarInfo(name)
          for key, value in more.items(): setattr(info, key, value)
          content = content if content is not None else b"x" * size
          info.size = len(content)
          t.addfile(info, io.BytesIO(content))
      \(body)
      t.close()
      sys.stdout.buffer.write(out.getvalue())
      """
    let done = try run("python3", ["-c", program])
    try #require(done.status == 0, "\(done.stderr)")
    return done.stdout
  }

  @Test(
    "X1: names that lead out, name nothing or never end are refused",
    .enabled(if: peers("python3")),
    arguments: [
      #"add("../x")"#, #"add("/x")"#, #"add("a/../../x")"#, #"add("a//b")"#,
      #"add("a/./b")"#, #"add("x" * 5000)"#, #"add("/".join(["d"] * 3000))"#,
      #"add("n" * 256)"#, #"add("ok", pax_headers={"path": "../x"})"#,
      #"add("ok", pax_headers={"path": "/x"})"#,
      #"add("ok", type=tarfile.LNKTYPE, linkname="../x")"#,
    ])
  func names(_ body: String) throws {
    let failure = refusal { [try python(body)] }
    #expect(failure?.kind == .data, "\(String(describing: failure))")
  }

  @Test(
    "X1: a name ends at its NUL, and an empty one is refused", .enabled(if: peers("python3")))
  func odd() throws {
    let found = try read(try python(#"add("ab\0/../../x")"#))
    #expect(found.paths == ["/ab"])
    let empty = refusal { [try python(#"add("")"#)] }
    #expect(empty?.kind == .data, "\(String(describing: empty))")
  }

  @Test(
    "X2: what lies below a symlink to anywhere stays in the image",
    arguments: ["/etc", "../../etc", "/../etc", "etc/../../etc", "./etc"])
  func symlinkedFolder(_ target: String) throws {
    let found = try read(
      tar([.directory("etc"), .symlink("d", to: target)]), tar([.file("d/passwd", "ours")]))
    #expect(found.paths == ["/d", "/etc", "/etc/passwd"])
    #expect(try found.text("/d/passwd") == "ours")
    let alone = try read(tar([.symlink("d", to: target), .file("d/passwd")]))
    #expect(alone.paths == ["/d", "/etc", "/etc/passwd"])
  }

  @Test("X3: symlinks in chains are followed 40 times, in circles not at all")
  func chains() throws {
    func chain(_ count: Int) -> [TarMember] {
      (0..<count).map { .symlink("l\($0)", to: $0 == count - 1 ? "end" : "l\($0 + 1)") }
        + [.directory("end"), .file("l0/x")]
    }
    #expect(try read(tar(chain(40))).paths.contains("/end/x"))
    #expect(refusal(chain(41))?.kind == .data)
    #expect(
      refusal([.symlink("a", to: "b"), .symlink("b", to: "a"), .file("a/x")])?.kind
        == .data)
    #expect(refusal([.symlink("a", to: "a"), .file("a/x")])?.kind == .data)
    // One that nobody goes through is data.
    #expect(try read(tar([.symlink("a", to: "a")])).paths == ["/a"])
  }

  @Test("X4: a hardlink is to a file of the image that is there already, or refused")
  func hardlinks() throws {
    for target in ["/etc/passwd", "etc/passwd", "gone", "later", "../etc/passwd", "a"] {
      let failure = refusal([.hardlink("a", to: target), .file("later")])
      #expect(failure?.kind == .data, "\(target): \(String(describing: failure))")
    }
    // The host's /etc/passwd is not what `/etc/passwd` means.
    let inside = try read(tar([.file("etc/passwd", "ours"), .hardlink("a", to: "/etc/passwd")]))
    #expect(try inside.text("/a") == "ours")
    // To a symlink: the name of a symlink, not of what it leads to.
    let linked = try read(tar([.symlink("l", to: "/etc/passwd"), .hardlink("a", to: "l")]))
    #expect(linked.entries.last?.header.kind == .symlink(target: Array("/etc/passwd".utf8)))
  }

  @Test("X5: a symlink cannot be called . or ..", arguments: [".", "..", "./", "a/..", "a/."])
  func dots(_ name: String) throws {
    let failure = refusal([.directory("a"), .symlink(name, to: "/etc")])
    #expect(failure?.kind == .data, "\(name): \(String(describing: failure))")
  }

  @Test(
    "X6: whiteouts that name nothing, themselves or what is above them are refused",
    arguments: [
      ".wh.", ".wh..", ".wh...", "a/.wh.", "a/.wh..", "a/.wh...", ".wh../x", "a/.wh.b/c",
    ])
  func whiteouts(_ name: String) throws {
    let failure = refusal([.file("a/b"), .file("x")], [.file(name)])
    #expect(failure?.kind == .data, "\(name): \(String(describing: failure))")
  }

  @Test("X6: an opaque whiteout hides what is below it, before and behind its siblings, never them")
  func opaque() throws {
    let lower = try tar([.file("d/old"), .file("d/e/old")])
    for members: [TarMember] in [
      [.file("d/.wh..wh..opq"), .file("d/new")], [.file("d/new"), .file("d/.wh..wh..opq")],
    ] {
      #expect(try read(lower, tar(members)).paths == ["/d", "/d/new"])
    }
    // Through a symlink it takes away what that leads to, inside the image.
    let linked = try read(
      tar([.file("usr/lib/a"), .symlink("lib", to: "/../usr/lib")]), tar([.file("lib/.wh.a")]))
    #expect(linked.paths == ["/lib", "/usr", "/usr/lib"])
  }

  @Test(
    "X7: devices and fifos are entries and nothing else, a socket is refused",
    .enabled(if: peers("python3")))
  func devices() throws {
    let found = try read(
      try python(
        """
        add("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3)
        add("sda", type=tarfile.BLKTYPE, devmajor=8, devminor=0)
        add("pipe", type=tarfile.FIFOTYPE)
        """))
    #expect(found.paths == ["/null", "/pipe", "/sda"])
    let kinds = found.entries.dropFirst().map(\.header.kind)
    #expect(
      kinds == [
        .characterDevice(major: 1, minor: 3), .fifo, .blockDevice(major: 8, minor: 0),
      ])
    // Nothing of it came to be on this machine.
    let names = try FileSystem.entries(of: directory.path).map {
      String(decoding: $0, as: UTF8.self)
    }
    #expect(names == ["blobs"])
  }

  @Test(
    "X8: setuid, capabilities and any owner are kept as they are", .enabled(if: peers("python3")))
  func attributes() throws {
    let found = try read(
      try python(
        #"""
        add("su", mode=0o4755, uid=2**32, gid=2**33 + 7, pax_headers={
            "SCHILY.xattr.security.capability": "\x01\x00\x00\x02"})
        """#))
    let entry = try #require(found.entries.last)
    #expect(entry.header.mode == 0o4755)
    #expect((entry.header.uid, entry.header.gid) == (1 << 32, (1 << 33) + 7))
    #expect(
      entry.xattrs.map { String(decoding: $0.name, as: UTF8.self) } == ["security.capability"])
  }

  @Test("X9: a tar whose headers lie is refused", .enabled(if: peers("python3")))
  func lies() throws {
    let honest = try python(#"add("a", size=2000); add("b", size=10)"#)
    var checksum = honest
    checksum[150] ^= 1
    var size = honest
    // Larger than all that follows.
    size.replaceSubrange(124..<136, with: Array("77777777777\0".utf8))
    for (name, bytes) in [("checksum", checksum), ("size", size)] {
      let failure = refusal { [bytes] }
      #expect(failure?.kind == .data, "\(name): \(String(describing: failure))")
    }
    let headers = [
      #""size": "999999999999""#, #""size": "-5""#,
      #""GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "-1""#,
      #""GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "../x", "GNU.sparse.realsize": "10""#,
    ]
    for header in headers {
      let bytes = try python("add(\"a\", size=2000, pax_headers={\(header)}); add(\"b\", size=10)")
      let failure = refusal { [bytes] }
      #expect(failure?.kind == .data, "\(header): \(String(describing: failure))")
    }
  }

  @Test("X9: a layer without its end is one, cut within a member it is none")
  func ends() throws {
    let whole = try tar([.file("a", String(repeating: "x", count: 1000)), .file("b")])
    #expect(try read(Array(whole.dropLast(1024))).paths == ["/a", "/b"])
    #expect(refusal { [Array(whole.prefix(1000))] }?.kind == .data)
    // What follows the end is nobody's.
    #expect(try read(whole + tar([.file("../x")])).paths == ["/a", "/b"])
  }

  @Test(
    "X10: a few kilobytes that unpack to more than 64 MiB, and a thousandfold, are refused",
    .enabled(if: peers("zstd")), .timeLimit(.minutes(1)))
  func bomb() throws {
    let zeros = [UInt8](repeating: 0, count: 128 << 20)
    let layer = try store.put(compressed(zeros, with: "zstd"), .layerZstd)
    try #require(layer.size < 64 << 10)
    let error = #expect(throws: LibraryError.self) { try LayerListing.make(layer, from: store) }
    #expect(error?.kind == .data)
  }

  @Test(
    "X10: gzip in several members is one layer; with garbage behind, or cut, it is none",
    .enabled(if: peers("gzip")))
  func members() throws {
    let plain = try tar([.file("a", String(repeating: "text", count: 5000)), .file("b")])
    let halves = try [Array(plain.prefix(7000)), Array(plain.dropFirst(7000))].flatMap {
      try compressed($0, with: "gzip")
    }
    let listing = try LayerListing.make(store.put(halves, .layerGzip), from: store)
    #expect(listing.members.map(\.path.description) == ["/a", "/b"])
    #expect(listing.diffID.digest == (try Digest.sha256(of: plain)))
    for bytes in [
      Array(halves.dropLast(1)), Array(halves.dropLast(8)),
      Array(try compressed(plain, with: "gzip").dropLast(4)),
    ] {
      let layer = try store.put(bytes, .layerGzip)
      #expect(throws: LibraryError.self) { try LayerListing.make(layer, from: store) }
    }
  }

  @Test("X11: symlinks cannot make a path deeper than 2,048 directories")
  func depth() throws {
    // Each goes 1,000 levels down from where the one before led.
    let deep = Array(repeating: "d", count: 1000).joined(separator: "/")
    let members: [TarMember] = [
      .directory(deep), .symlink("a", to: deep), .file("a/\(deep)/x"),
      .symlink("b", to: "a/\(deep)"),
      .file("b/\(deep)/x"),
    ]
    #expect(refusal(members)?.kind == .data)
  }

  @Test("X12: of one path's entries in a layer the last counts, and nothing of the others is left")
  func duplicates() throws {
    let found = try read(
      tar([
        .file("p", "file"), .directory("p"), .file("p/inside"), .symlink("p", to: "/q"),
        .directory("q"),
      ]))
    #expect(found.paths == ["/p", "/q"])
    #expect(
      try found.lookup("/p", followSymlinks: false).header.kind
        == .symlink(target: Array("/q".utf8)))
    // What is put below the symlink afterwards goes where that leads.
    let through = try read(
      tar([.directory("p"), .symlink("p", to: "/q"), .directory("q"), .file("p/x")]))
    #expect(through.paths == ["/p", "/q", "/q/x"])
  }

  @Test("X13: names that differ in case or in Unicode's form are two names")
  func similarNames() throws {
    let found = try read(tar([.file("A"), .file("a"), .file("é"), .file("e\u{301}")]))
    #expect(found.entries.count == 5)
  }

  @Test(
    "X14: of the compressions that layers have, the bytes decide; of others none is taken",
    .enabled(if: peers("gzip", "zstd", "bzip2", "xz")))
  func mediaTypes() throws {
    let plain = try tar([.file("a")])
    let known = try [plain, compressed(plain, with: "gzip"), compressed(plain, with: "zstd")]
    for type in [MediaType.layer, .layerGzip, .layerZstd, .dockerLayerGzip] {
      for bytes in known {
        let listing = try LayerListing.make(store.put(bytes, type), from: store)
        #expect(listing.members.count == 1)
      }
      for program in ["bzip2", "xz"] {
        let layer = try store.put(compressed(plain, with: program), type)
        #expect(throws: LibraryError.self) { try LayerListing.make(layer, from: store) }
      }
    }
  }
}
