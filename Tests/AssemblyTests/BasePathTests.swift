import Assembly
import Bindings
import Definition
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

/// Where entries come to lie on a base, and what becomes of its directories.
@Suite("LayerPlanner on a base") struct BasePathTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func base(_ layers: [BaseEntry]...) throws -> ResolvedBase {
    try ResolvedBase(layers, in: BlobStore(root: directory.path.appending("base")))
  }

  /// As Debian is laid out since its directories of programs were merged.
  private func merged() throws -> ResolvedBase {
    try base(
      [
        .symlink("bin", to: "usr/bin"), .symlink("lib", to: "usr/lib"), .directory("etc"),
        .directory("run", mode: 0o711), .directory("tmp", mode: 0o1777).owned(3, 4),
        .directory("usr", mode: 0o751).owned(1, 2).with(xattr: "user.made", "here"),
        .directory("usr/bin"), .directory("usr/lib", mode: 0o750), .file("usr/lib/old"),
        .directory("var"), .symlink("var/run", to: "/run"), .symlink("var/lock", to: "run/lock"),
        .symlink("var/gone", to: "../nowhere/at/all"), .symlink("var/file", to: "/usr/lib/old"),
        .symlink("l1", to: "l2"), .symlink("l2", to: "/l1"), .symlink("up", to: "../../../usr"),
      ], [.file("late"), .symlink("opt", to: "/var/../lib/./"), .file(".wh.late")])
  }

  private func plan(
    on base: ResolvedBase, _ entries: [LayerEntry]
  ) throws -> (listing: [String], complaints: [String]) {
    var planner = try Sample.planner(in: directory, epoch: 7, base: base)
    do {
      return (try planner.plan(Sample.layer(entries)).listing, [])
    } catch let list as FailureList { return ([], list.failures.map(\.description)) }
  }

  @Test(
    "X2: a path is written where the base's symlinks lead",
    arguments: [
      ("/etc/z", "/etc/z"), ("/lib/x", "/usr/lib/x"), ("/bin/y", "/usr/bin/y"),
      ("/var/run/w", "/run/w"), ("/lib/new/deep/x", "/usr/lib/new/deep/x"),
      ("/opt/x", "/usr/lib/x"),
      ("/up/lib/x", "/usr/lib/x"), ("/lib", "/lib"), ("/var/gone", "/var/gone"), ("/l1", "/l1"),
      ("/brand/new", "/brand/new"),
    ])
  func resolved(_ asked: String, _ written: String) throws {
    let (listing, complaints) = try plan(
      on: merged(), [try Sample.entry(asked, .text([]), mode: 0o600, owner: Owner(uid: 9, gid: 9))])
    #expect(complaints == [])
    #expect(listing.last == "\(written) 600 9:9")
    // Above it stand its own parents and nothing else, so no directory over a symlink.
    #expect(
      listing.dropLast().allSatisfy { line in
        line.contains("/ ") && written.hasPrefix(String(line.prefix { $0 != " " }))
      }, "\(listing)")
  }

  @Test(
    "a path that the base's symlinks lead nowhere is refused, with the symlink",
    arguments: [
      (
        "/var/gone/x",
        "image.yaml:1:1: \"/var/gone/x\": the symlink \"/var/gone\" leads to \"/nowhere\", which lower layers do not have; add a \"directory\" entry for it, or remove the symlink"
      ),
      (
        "/var/lock/x",
        "image.yaml:1:1: \"/var/lock/x\": the symlink \"/var/lock\" leads to \"/run/lock\", which lower layers do not have; add a \"directory\" entry for it, or remove the symlink"
      ),
      (
        "/l1/x",
        "image.yaml:1:1: \"/l1/x\": expected at most 40 symlinks on the way, found more at \"/l1\""
      ),
      (
        "/var/file/x",
        "image.yaml:1:1: \"/var/file/x\" cannot lie below \"/usr/lib/old\", which is not a directory (put by the base)"
      ),
      (
        "/usr/lib/old/x",
        "image.yaml:1:1: \"/usr/lib/old/x\" cannot lie below \"/usr/lib/old\", which is not a directory (put by the base)"
      ),
    ])
  func unresolved(_ asked: String, _ complaint: String) throws {
    let found = try plan(on: merged(), [try Sample.entry(asked, .text([]))])
    #expect(found.complaints == [complaint])
  }

  @Test("X3: 40 symlinks are followed, 41 are not")
  func chains() throws {
    let links = (1...41).map { BaseEntry.symlink("l\($0)", to: "l\($0 - 1)") }
    let base = try base([.directory("l0")] + links)
    #expect(
      try plan(on: base, [try Sample.entry("/l40/x", .text([]))]).listing.last == "/l0/x 644 0:0")
    #expect(try plan(on: base, [try Sample.entry("/l41/x", .text([]))]).complaints.count == 1)
  }

  @Test("a declared directory makes a dangling symlink lead somewhere")
  func declaredTarget() throws {
    let found = try plan(
      on: merged(),
      [
        try Sample.entry("/var/gone/x", .text([])),
        try Sample.entry("/nowhere/at/all", .directory), try Sample.entry("/nowhere", .directory),
        try Sample.entry("/nowhere/at", .directory),
      ])
    #expect(found.complaints == [])
    #expect(
      found.listing == [
        "/nowhere/ 755 0:0", "/nowhere/at/ 755 0:0", "/nowhere/at/all/ 755 0:0",
        "/nowhere/at/all/x 644 0:0",
      ])
  }

  @Test("parents that the base has keep its mode, owner, time and attributes")
  func parents() throws {
    var planner = try Sample.planner(in: directory, epoch: 7, base: merged())
    let plan = try planner.plan(
      Sample.layer([
        try Sample.entry("/tmp/a/b", .text([])), try Sample.entry("/lib/x", .text([])),
      ]))
    #expect(
      plan.listing == [
        "/tmp/ 1777 3:4", "/tmp/a/ 755 0:0", "/tmp/a/b 644 0:0", "/usr/ 751 1:2",
        "/usr/lib/ 750 0:0", "/usr/lib/x 644 0:0",
      ])
    #expect(plan.entries.map(\.mtime) == [1_000_000_000, 7, 7, 1_000_000_000, 1_000_000_000, 7])
    #expect(
      plan.entries[3].xattrs == [
        ExtendedAttribute(name: Array("user.made".utf8), value: Array("here".utf8))
      ])
  }

  @Test("a directory that only names in the base speak of is written as on scratch")
  func impliedParents() throws {
    var planner = try Sample.planner(in: directory, epoch: 7, base: base([.file("srv/a/file")]))
    let plan = try planner.plan(Sample.layer([try Sample.entry("/srv/a/x", .text([]))]))
    #expect(plan.listing == ["/srv/ 755 0:0", "/srv/a/ 755 0:0", "/srv/a/x 644 0:0"])
    #expect(plan.entries.map(\.mtime) == [7, 7, 7])
  }

  @Test("of a declared directory the base has, what is said wins and the rest stays")
  func declaredDirectory() throws {
    let found = try plan(
      on: merged(),
      [
        try Sample.entry("/tmp", .directory, owner: Owner(uid: 5, gid: 5)),
        try Sample.entry("/usr", .directory), try Sample.entry("/lib", .directory, mode: 0o700),
        try Sample.entry("/new", .directory),
      ])
    #expect(
      found.listing == ["/new/ 755 0:0", "/tmp/ 1777 5:5", "/usr/ 751 1:2", "/usr/lib/ 700 0:0"])
  }

  @Test("a tree fills the base's directories and goes through its symlinks")
  func tree() throws {
    for file in ["tmp/t", "lib/x", "var/run/w", "etc/z"] { try directory.write("src/\(file)", "x") }
    let source = directory.path.appending("src")
    let found = try plan(
      on: merged(), [try Sample.entry("/", .tree(source, include: [], exclude: []))])
    #expect(found.complaints == [])
    #expect(
      found.listing == [
        "/etc/ 755 0:0", "/etc/z 644 0:0", "/run/ 711 0:0", "/run/w 644 0:0", "/tmp/ 1777 3:4",
        "/tmp/t 644 0:0", "/usr/ 751 1:2", "/usr/lib/ 750 0:0", "/usr/lib/x 644 0:0",
        "/var/ 755 0:0",
      ])
    let below = try plan(
      on: merged(), [try Sample.entry("/lib", .tree(source, include: [], exclude: []))])
    #expect(below.listing.contains("/usr/lib/etc/z 644 0:0"))
    #expect(!below.listing.contains { $0.hasPrefix("/lib") })
  }

  @Test("an archive's directories have its own modes, behind the base's symlinks too")
  func archive() throws {
    for file in ["lib/x", "tmp/t"] { try directory.write("src/\(file)", "x") }
    let made = try run(
      "bsdtar", ["-cf", "../a.tar", "--uid", "6", "--gid", "7", "lib", "tmp"],
      in: directory.path.appending("src"))
    try #require(made.status == 0, "\(made.stderr)")
    let found = try plan(
      on: merged(),
      [try Sample.entry("/", .archive(.file(directory.path.appending("a.tar"))))])
    #expect(found.complaints == [])
    #expect(
      found.listing.map { $0.split(separator: " ").map(String.init) }.map { [$0[0], $0[2]] } == [
        ["/tmp/", "6:7"], ["/tmp/t", "6:7"], ["/usr/", "1:2"], ["/usr/lib/", "6:7"],
        ["/usr/lib/x", "6:7"],
      ])
  }

  @Test("a directory on a symlink to a file or to nothing is refused")
  func directoryOnSymlink() throws {
    let found = try plan(
      on: merged(),
      [
        try Sample.entry("/var/file", .directory, line: 1),
        try Sample.entry("/var/gone", .directory, line: 2),
      ])
    #expect(
      found.complaints == [
        "image.yaml:1:1: \"/var/file\": expected a directory or nothing there, found a symlink of a lower layer that leads to \"/usr/lib/old\", which is a file; remove the symlink, too",
        "image.yaml:2:1: \"/var/gone\": the symlink \"/var/gone\" leads to \"/nowhere\", which lower layers do not have; add a \"directory\" entry for it, or remove the symlink",
      ])
  }

  @Test("two entries that lead to one path are one too many, and the symlink is named")
  func duplicates() throws {
    let expected =
      "image.yaml:2:1: \"/usr/lib/x\" is already there, put by image.yaml:1:1; the symlink \"/lib\" leads there; a layer has one entry a path: remove one of the two or move it to another layer"
    for paths in [("/lib/x", "/usr/lib/x"), ("/usr/lib/x", "/lib/x")] {
      let found = try plan(
        on: merged(),
        [
          try Sample.entry(paths.0, .text([]), line: 1),
          try Sample.entry(paths.1, .text([]), line: 2),
        ])
      #expect(found.complaints == [expected])
    }
  }

  @Test("what the layer makes a file or symlink is no way for its other entries")
  func ownBlocker() throws {
    let found = try plan(
      on: merged(),
      [
        try Sample.entry("/lib", .symlink(target: Array("opt".utf8)), line: 1),
        try Sample.entry("/lib/x", .text([]), line: 2),
      ])
    #expect(
      found.complaints == [
        "image.yaml:2:1: \"/usr/lib/x\" cannot lie below \"/lib\", which is not a directory (put by image.yaml:1:1)"
      ])
  }

  @Test("a file takes a directory's place, and a directory a file's")
  func typeChange() throws {
    let found = try plan(
      on: merged(),
      [
        try Sample.entry("/usr/lib", .text([])),
        try Sample.entry("/late", .directory), try Sample.entry("/late/x", .text([])),
        try Sample.entry("/usr/bin/tool", .directory),
      ])
    #expect(found.complaints == [])
    #expect(
      found.listing == [
        "/late/ 755 0:0", "/late/x 644 0:0", "/usr/ 751 1:2", "/usr/bin/ 755 0:0",
        "/usr/bin/tool/ 755 0:0", "/usr/lib 644 0:0",
      ])
    let onFile = try plan(
      on: base([.file("a"), .file("a2")]),
      [try Sample.entry("/a", .directory), try Sample.entry("/a/x", .text([]))])
    #expect(onFile.listing == ["/a/ 755 0:0", "/a/x 644 0:0"])
  }

  @Test("a hardlink is found behind symlinks, but not in the base")
  func hardlinks() throws {
    let found = try plan(
      on: merged(),
      [
        try Sample.entry("/lib/x", .text([])),
        try Sample.entry("/bin/x", .hardlink(target: ImagePath(absolute: "/lib/x"))),
      ])
    #expect(
      found.listing.filter { $0.contains("x") } == [
        "/usr/bin/x 644 0:0", "/usr/lib/x => usr/bin/x 644 0:0",
      ])
    let across = try plan(
      on: merged(), [try Sample.entry("/x", .hardlink(target: ImagePath(absolute: "/lib/old")))])
    #expect(
      across.complaints == [
        "image.yaml:1:1: hardlink \"/x\": expected a file \"/usr/lib/old\" in the same layer, found it in a lower one (put by the base), where hardlinks do not reach; use a symlink, or put the file into this layer, too"
      ])
  }

  @Test("the loader of a program is looked for in the base, through its symlinks")
  func loader() throws {
    let planner = try Sample.planner(in: directory, base: merged())
    #expect(planner.resolves(try ImagePath(absolute: "/lib/old")))
    #expect(planner.resolves(try ImagePath(absolute: "/var/file")))
    #expect(!planner.resolves(try ImagePath(absolute: "/lib/ld.so")))
    #expect(!planner.resolves(try ImagePath(absolute: "/l1")))
    #expect(!planner.resolves(try ImagePath(absolute: "/late/x")))
  }

  @Test("layers of a base that cannot be one file system are refused by name")
  func brokenBase() throws {
    let broken = try base([.file("a"), .file("a/b")])
    #expect(throws: LayerError.self) { try Sample.planner(in: directory, base: broken) }
  }
}
