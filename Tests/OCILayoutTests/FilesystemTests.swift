import Bindings
import Foundation
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("ImageFilesystem")
struct FilesystemTests {
  struct Merge: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let layers: [[TarMember]]
    let paths: [String]

    init(_ name: String, _ layers: [[TarMember]], _ paths: [String]) {
      testDescription = name
      self.layers = layers
      self.paths = paths
    }
  }

  static let merges: [Merge] = [
    Merge("no layer is an empty root", [], []),
    Merge("an empty layer adds nothing", [[.file("a")], []], ["/a"]),
    Merge("parents that nobody lists are there", [[.file("a/b/c")]], ["/a", "/a/b", "/a/b/c"]),
    Merge(
      "siblings stand by bytes, a directory before what it holds",
      [[.file("a-b"), .directory("a"), .file("a/c"), .file("B")]], ["/B", "/a", "/a/c", "/a-b"]),
    Merge("a leading ./ is nothing", [[.directory("./"), .file("./a")], [.file(".wh.a")]], []),
    Merge(
      "a whiteout removes a file of a lower layer",
      [[.file("d/a"), .file("d/b")], [.file("d/.wh.a")]], ["/d", "/d/b"]),
    Merge(
      "a whiteout removes a directory with all it holds",
      [[.file("d/e/a"), .file("d/b")], [.file("d/.wh.e")]], ["/d", "/d/b"]),
    Merge(
      "a whiteout of nothing is nothing", [[.file("a")], [.file(".wh.b"), .file("x/.wh.y")]], ["/a"]
    ),
    Merge(
      "a whiteout spares its own layer, before it and behind it",
      [[.file("d/old")], [.file("d/new"), .file(".wh.d"), .file("d/newer")]],
      ["/d", "/d/new", "/d/newer"]),
    Merge(
      "an opaque whiteout hides what lower layers have",
      [[.file("d/a"), .file("d/e/f")], [.directory("d"), .file("d/.wh..wh..opq"), .file("d/b")]],
      ["/d", "/d/b"]),
    Merge(
      "an opaque whiteout may stand behind its siblings",
      [[.file("d/a"), .file("d/e/f")], [.file("d/b"), .file("d/e/g"), .file("d/.wh..wh..opq")]],
      ["/d", "/d/b", "/d/e", "/d/e/g"]),
    Merge("an opaque root hides everything below", [[.file("a")], [.file(".wh..wh..opq")]], []),
    Merge(
      "what a whiteout removed may come back",
      [[.file("a", "1")], [.file(".wh.a")], [.file("a", "3")]], ["/a"]),
    Merge(
      "a directory over a directory keeps what it holds",
      [[.directory("d"), .file("d/a")], [.directory("d", mode: 0o700), .file("d/b")]],
      ["/d", "/d/a", "/d/b"]),
    Merge(
      "a file over a directory removes what it held", [[.file("d/a")], [.file("d")]], ["/d"]),
    Merge(
      "a directory over a file takes its place",
      [[.file("d")], [.file("x"), .directory("d"), .file("d/a")]], ["/d", "/d/a", "/x"]),
    Merge(
      "a directory over a symlink takes its place",
      [
        [.file("usr/lib/a"), .symlink("lib", to: "usr/lib")], [.directory("lib"), .file("lib/b")],
      ],
      ["/lib", "/lib/b", "/usr", "/usr/lib", "/usr/lib/a"]),
    Merge(
      "a file below a symlink goes where that points",
      [[.file("usr/lib/a"), .symlink("lib", to: "usr/lib")], [.file("lib/b")]],
      ["/lib", "/usr", "/usr/lib", "/usr/lib/a", "/usr/lib/b"]),
    Merge(
      "a whiteout below a symlink removes where that points",
      [[.file("usr/lib/a"), .symlink("lib", to: "/usr/lib")], [.file("lib/.wh.a")]],
      ["/lib", "/usr", "/usr/lib"]),
    Merge(
      "a symlink's .. does not leave the image",
      [[.directory("etc"), .symlink("out", to: "../../../etc")], [.file("out/passwd")]],
      ["/etc", "/etc/passwd", "/out"]),
    Merge(
      "a hardlink outlives its target",
      [[.file("a", "x"), .hardlink("b", to: "a")], [.file(".wh.a")]], ["/b"]),
  ]

  @Test("X2, X4, X6, X12: layers merge", arguments: merges)
  func mergesLayers(_ merge: Merge) throws {
    let directory = try TemporaryDirectory()
    #expect(try filesystem(merge.layers, in: directory).paths == merge.paths)
  }

  @Test("X2, X4, X6, X12: layers merge as umoci unpacks them", .enabled(if: peers("umoci")))
  func agreesWithUmoci() throws {
    let directory = try TemporaryDirectory()
    for merge in Self.merges {
      let root = directory.path.appending("layout-\(UUID().uuidString)")
      let image = try TestImage(merge.layers)
      try image.write(to: root, directory)
      let bundle = directory.path.appending("bundle-\(UUID().uuidString)")
      let unpacked = try run(
        "umoci", ["unpack", "--rootless", "--image", "\(root):latest", bundle.string])
      try #require(unpacked.status == 0, "\(merge.testDescription): \(unpacked.stderr)")
      let rootfs = bundle.appending("rootfs")
      let found = try run("find", [".", "-mindepth", "1", "-printf", "/%P\\n"], in: rootfs)
      let files = try filesystem(merge.layers, in: directory)
      #expect(
        found.output.split(separator: "\n").map(String.init).sorted() == files.paths.sorted(),
        "\(merge.testDescription)")
      for entry in files.entries {
        let path = FilePath(rootfs.string + entry.path.description)
        switch entry.header.kind {
        case .file:
          let content = try FileSystem.readAll(path, limit: 1 << 20)
          #expect(try files.text(entry.path.description).utf8.elementsEqual(content))
          #expect(try FileSystem.status(of: path)?.mode == entry.header.mode)
        case .symlink(let target): #expect(try FileSystem.symlinkTarget(of: path) == target)
        default: break
        }
      }
    }
  }

  @Test("the upper layer's attributes and content win, a hardlink shows its file's")
  func attributes() throws {
    let directory = try TemporaryDirectory()
    let files = try filesystem(
      [
        [.directory("d"), .file("d/a", "one"), .hardlink("d/b", to: "./d/a")],
        [.directory("d", mode: 0o1777).owned(5, 6), .file("d/a", "other")],
      ], in: directory)
    let d = try files.lookup("/d")
    #expect(d.header.mode == 0o1777 && d.header.uid == 5 && d.header.gid == 6)
    #expect(try files.text("/d/a") == "other")
    #expect(try files.text("/d/b") == "one")
    #expect(try files.lookup("/d/b").header.kind == .file(size: 3))
    #expect(try files.lookup("/d/b").origin?.layer == 0)
    #expect(try files.lookup("/d/b").origin?.ordinal == 1)
  }

  @Test(
    "X2, X3: a path is followed inside the image",
    arguments: [
      ("/usr/lib/a", "/usr/lib/a"), ("usr/lib/a", "/usr/lib/a"), ("//usr/./lib//a/", "/usr/lib/a"),
      ("/lib/a", "/usr/lib/a"), ("/lib/../b", "/usr/b"), ("/../../usr/b", "/usr/b"),
      ("/loop/..", "/"), ("/", "/"), ("", "/"), ("/up/usr/b", "/usr/b"), ("/chain", "/usr/lib/a"),
    ])
  func lookup(path: String, found: String) throws {
    let directory = try TemporaryDirectory()
    let files = try filesystem(
      [
        [
          .file("usr/lib/a"), .file("usr/b"), .symlink("lib", to: "/usr/lib"),
          .symlink("up", to: "../../.."), .directory("loop"), .symlink("chain", to: "lib/link"),
          .symlink("usr/lib/link", to: "a"),
        ]
      ], in: directory)
    #expect(try files.lookup(path).path.description == found)
  }

  @Test(
    "what is not there is told with the nearest name",
    arguments: [
      (
        "/etc/sl/certs",
        #"no "/etc/sl/certs" in the image: "/etc" is the last directory on the way; did you mean "/etc/ssl"?"#
      ),
      (
        "/xyz",
        #"no "/xyz" in the image: "/" is the last directory on the way; `ls` shows what there is"#
      ),
      (
        "/etc/file/x",
        #"no "/etc/file/x" in the image: expected "/etc/file" to be a directory, found a file"#
      ),
      (
        "/etc/dangling",
        #"no "/etc/dangling" in the image: "/etc" is the last directory on the way; `ls` shows what there is"#
      ),
      (
        "/etc/loop",
        #"following "/etc/loop" in the image: expected at most 40 symlinks, found more"#
      ),
    ])
  func notFound(path: String, text: String) throws {
    let directory = try TemporaryDirectory()
    let files = try filesystem(
      [
        [
          .directory("etc/ssl"), .file("etc/file"), .symlink("etc/dangling", to: "nowhere-at-all"),
          .symlink("etc/loop", to: "loop"),
        ]
      ], in: directory)
    let error = #expect(throws: ImageFilesystemError.self) { try files.lookup(path) }
    #expect(error?.description == text)
  }

  @Test("cat refuses what is no file")
  func catDirectory() throws {
    let directory = try TemporaryDirectory()
    let files = try filesystem([[.directory("d"), .fifo("p")]], in: directory)
    let root = try #require(try? ImagePath(absolute: "/d"))
    #expect(throws: ImageFilesystemError.notFile(root, found: "a directory")) {
      try files.text("/d")
    }
    #expect(throws: ImageFilesystemError.self) { try files.text("/p") }
  }

  @Test("X7, X8: a listing reads like ls -l, and no name drives the terminal")
  func listing() throws {
    let directory = try TemporaryDirectory()
    let files = try filesystem(
      [
        [
          .directory("bin", mode: 0o1777), .file("bin/busybox", "12345", mode: 0o4755).owned(0, 10),
          .symlink("bin/sh", to: "busybox"), .file("bin/\u{1B}[2Jx", mode: 0o600), .fifo("pipe"),
        ]
      ], in: directory)
    let time = "2001-09-09T01:46:40Z"
    #expect(
      ImageFilesystem.listing(try files.list()) == [
        "drwxrwxrwt 0:0  0 \(time) /bin",
        "-rw------- 0:0  0 \(time) /bin/\\u{1b}[2Jx",
        "-rwsr-xr-x 0:10 5 \(time) /bin/busybox",
        "lrwxrwxrwx 0:0  0 \(time) /bin/sh -> busybox",
        "prw------- 0:0  0 \(time) /pipe",
      ])
    #expect(
      ImageFilesystem.listing(try files.list(at: "bin/busybox")) == [
        "-rwsr-xr-x 0:10 5 \(time) /bin/busybox"
      ])
    #expect(try files.list(at: "/bin").count == 3)
    #expect(try files.list(at: "/bin/sh").map(\.path.description) == ["/bin/sh"])
  }

  @Test("a symlink to a directory lists the directory")
  func listSymlink() throws {
    let directory = try TemporaryDirectory()
    let files = try filesystem(
      [[.file("usr/lib/a"), .symlink("lib", to: "usr/lib")]], in: directory)
    #expect(try files.list(at: "/lib").map(\.path.description) == ["/usr/lib/a"])
  }

  @Test(
    "export unpacks to the merged tree, hardlinks and attributes too", .enabled(if: peers("bsdtar"))
  )
  func export() throws {
    let directory = try TemporaryDirectory()
    let long = String(repeating: "n", count: 120)
    let files = try filesystem(
      [
        [
          .file("z/\(long)", "long"), .file("old", "old"), .file("a", "content"),
          .symlink("link", to: "z"), .directory("private", mode: 0o700),
        ],
        [
          .file(".wh.old"), .file("b/c", String(repeating: "x", count: 300_000), mode: 0o755),
          .hardlink("b/d", to: "b/c"), .hardlink("0", to: "b/c"),
        ],
      ], in: directory)
    var bytes: [UInt8] = []
    try files.export { bytes += $0 }
    try directory.write("export.tar", bytes)
    let out = directory.path.appending("out")
    try FileSystem.createDirectories(out)
    let unpacked = try run("bsdtar", ["-xpf", "../export.tar"], in: out)
    #expect(unpacked.status == 0, "\(unpacked.stderr)")
    let found = try run("find", [".", "-mindepth", "1", "-printf", "/%P\\n"], in: out)
    #expect(
      found.output.split(separator: "\n").map(String.init).sorted() == files.paths.sorted())
    for entry in files.entries.dropFirst() {
      let path = FilePath(out.string + entry.path.description)
      let status = try #require(try FileSystem.status(of: path, followSymlink: false))
      #expect(status.mode == entry.header.mode)
      guard case .file = entry.header.kind else { continue }
      let content = try FileSystem.readAll(path, limit: 1 << 20)
      #expect(try files.text(entry.path.description).utf8.elementsEqual(content))
    }
    let linkCount = try run("stat", ["-c", "%h", "b/c", "0", "b/d"], in: out)
    #expect(linkCount.output == "3\n3\n3\n")
    #expect(FileManager.default.fileExists(atPath: out.appending("z/\(long)").string))
  }

  @Test("X8: export keeps big owners and extended attributes", .enabled(if: peers("python3")))
  func exportExtended() throws {
    let directory = try TemporaryDirectory()
    var file = TarMember.file("f").owned(3_000_000, 4_000_000)
    file.xattrs = ["user.b": "2", "user.a": "1"]
    let files = try filesystem([[file]], in: directory)
    var bytes: [UInt8] = []
    try files.export { bytes += $0 }
    let archive = try directory.write("export.tar", bytes)
    let script = """
      import sys, tarfile
      for m in tarfile.open(sys.argv[1]):
          print(m.name, m.uid, m.gid, sorted((k, v) for k, v in m.pax_headers.items() if 'xattr' in k))
      """
    let listed = try run("python3", ["-c", script, archive.string])
    #expect(
      listed.output
        == "f 3000000 4000000 [('SCHILY.xattr.user.a', '1'), ('SCHILY.xattr.user.b', '2')]\n")
  }

  @Test("compressed layers read as well", arguments: ["gzip", "zstd", "xz"])
  func compression(program: String) throws {
    guard peers(program) else { return }
    let directory = try TemporaryDirectory()
    let store = BlobStore(root: directory.path)
    let layer = try store.put(compressed(tar([.file("a", "hello")]), with: program), .layerGzip)
    #expect(try ImageFilesystem(store: store, layers: [layer]).text("a") == "hello")
  }

  @Test("a layer that is not what its descriptor says shows nothing")
  func damagedLayer() throws {
    let directory = try TemporaryDirectory()
    let store = BlobStore(root: directory.path)
    let layer = try store.put(tar([.file("a", "good")]), .layer)
    var larger = layer
    larger.size += 1
    #expect(
      throws: LayoutError.sizeMismatch(layer.digest, expected: larger.size, found: layer.size)
    ) { try ImageFilesystem(store: store, layers: [larger]) }
    try directory.write("blobs/sha256/\(layer.digest.hex)", tar([.file("a", "evil")]))
    let error = #expect(throws: LayoutError.self) {
      try ImageFilesystem(store: store, layers: [layer])
    }
    #expect(error?.kind == .data)
    #expect(error?.description.contains("digest mismatch: expected \(layer.digest)") == true)
    try FileSystem.remove(store.path(of: layer.digest))
    #expect(throws: LayoutError.missingBlob(layer.digest, layout: directory.path.string)) {
      try ImageFilesystem(store: store, layers: [layer])
    }
  }

  @Test("a layer of no bytes is an empty one, compressed too", arguments: [nil, "gzip"])
  func emptyStream(program: String?) throws {
    let directory = try TemporaryDirectory()
    let store = BlobStore(root: directory.path)
    let bytes = try program.map { try compressed([], with: $0) } ?? []
    let layer = try store.put(bytes, .layer)
    #expect(try ImageFilesystem(store: store, layers: [layer]).paths.isEmpty)
  }

  @Test("X9: a sparse file's holes read as zeros, the last one too", .enabled(if: peers("tar")))
  func sparse() throws {
    let directory = try TemporaryDirectory()
    let script =
      "truncate -s 1M f && printf end | dd of=f bs=1 seek=500000 conv=notrunc status=none"
    _ = try run("sh", ["-c", "\(script) && tar -S --format=gnu -cf l.tar f"], in: directory.path)
    let store = BlobStore(root: directory.path)
    let bytes = try FileSystem.readAll(directory.path.appending("l.tar"), limit: 1 << 22)
    try #require(bytes.count < 1 << 20)
    let layer = try store.put(bytes, .layer)
    var content: [UInt8] = []
    try ImageFilesystem(store: store, layers: [layer]).cat("f") { content += $0 }
    #expect(content.count == 1 << 20)
    #expect(content[500_000..<500_003].elementsEqual("end".utf8))
  }

  struct Hostile: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let layers: [[TarMember]]
  }

  @Test(
    "X1, X3, X4, X5, X6: what would leave or break the image is refused",
    arguments: [
      Hostile(testDescription: "an absolute name", layers: [[.file("/etc/passwd")]]),
      Hostile(testDescription: "..", layers: [[.file("a/../../b")]]),
      Hostile(testDescription: "a bare .wh.", layers: [[.file("a/.wh.")]]),
      Hostile(testDescription: "a whiteout of ..", layers: [[.file("a/.wh...")]]),
      Hostile(testDescription: "a file below a whiteout", layers: [[.file(".wh.a/b")]]),
      Hostile(testDescription: "a file below a file", layers: [[.file("a")], [.file("a/b")]]),
      Hostile(testDescription: "a hardlink to nothing", layers: [[.hardlink("a", to: "b")]]),
      Hostile(testDescription: "a hardlink outside", layers: [[.hardlink("a", to: "../b")]]),
      Hostile(
        testDescription: "a hardlink to a directory",
        layers: [[.directory("d"), .hardlink("a", to: "d")]]),
      Hostile(testDescription: "the root as a symlink", layers: [[.symlink(".", to: "/")]]),
      Hostile(
        testDescription: "symlinks in a circle",
        layers: [[.symlink("a", to: "b"), .symlink("b", to: "a"), .file("a/c")]]),
    ])
  func hostile(_ hostile: Hostile) throws {
    let directory = try TemporaryDirectory()
    let error = #expect(throws: LayerError.self) {
      try filesystem(hostile.layers, in: directory)
    }
    #expect(error?.kind == .data)
    #expect(error?.description.hasPrefix("layer sha256:") == true)
  }
}
