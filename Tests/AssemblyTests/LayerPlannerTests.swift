import Assembly
import Bindings
import Definition
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("LayerPlanner") struct LayerPlannerTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// The texts of everything that planning these layers complains of.
  private func complaints(_ layers: [LayerDefinition]) throws -> [String] {
    var planner = try Sample.planner(in: directory)
    do {
      for layer in layers { _ = try planner.plan(layer) }
      return []
    } catch let list as FailureList { return list.failures.map(\.description) }
  }

  @Test("parents come first with 0755 0:0, siblings by bytes, a-b not between a and a/c")
  func order() throws {
    var planner = try Sample.planner(in: directory)
    let plan = try planner.plan(
      Sample.layer([
        try Sample.entry("/a-b", .text([])), try Sample.entry("/a/c", .text([]), mode: 0o600),
        try Sample.entry("/a/é", .text([])), try Sample.entry("/a/Z", .directory, mode: 0o700),
      ]))
    #expect(
      plan.listing == [
        "/a/ 755 0:0", "/a/Z/ 700 0:0", "/a/c 600 0:0", "/a/é 644 0:0", "/a-b 644 0:0",
      ])
  }

  @Test("a tree takes modes from the execute bit, keeps symlinks, and sees include and exclude")
  func tree() throws {
    try directory.write("src/bin/tool", "x", mode: 0o700)
    try directory.write("src/etc/conf", "x", mode: 0o660)
    try directory.write("src/etc/conf.bak", "x")
    try directory.write("src/doc/readme", "x")
    try createSymlink(
      directory.path.appending("src/bin/link"), target: Array("tool".utf8))
    var planner = try Sample.planner(in: directory)
    let source = directory.path.appending("src")
    let plan = try planner.plan(
      Sample.layer([
        try Sample.entry(
          "/opt",
          .tree(source, include: [], exclude: [Glob(parsing: "*.bak"), Glob(parsing: "doc")]))
      ]))
    #expect(
      plan.listing == [
        "/opt/ 755 0:0", "/opt/bin/ 755 0:0", "/opt/bin/link -> tool 777 0:0",
        "/opt/bin/tool 755 0:0", "/opt/etc/ 755 0:0", "/opt/etc/conf 644 0:0",
      ])
    var other = try Sample.planner(in: directory)
    let only = try other.plan(
      Sample.layer([
        try Sample.entry("/opt", .tree(source, include: [Glob(parsing: "etc/conf")], exclude: []))
      ]))
    #expect(only.listing == ["/opt/ 755 0:0", "/opt/etc/ 755 0:0", "/opt/etc/conf 644 0:0"])
  }

  @Test("a fifo in a tree is refused by name")
  func fifo() throws {
    try directory.write("src/a", "x")
    let made = try run("mkfifo", [directory.path.appending("src/pipe").string])
    #expect(made.status == 0)
    let source = directory.path.appending("src")
    let texts = try complaints([
      Sample.layer([try Sample.entry("/opt", .tree(source, include: [], exclude: []))])
    ])
    #expect(
      texts == [
        "image.yaml:1:1: \"\(source)/pipe\" is a fifo; expected a file, a directory or a symlink"
      ])
  }

  @Test("of all names of a file the first in order carries it, the others are hardlinks")
  func hardlinks() throws {
    var planner = try Sample.planner(in: directory)
    let plan = try planner.plan(
      Sample.layer([
        try Sample.entry("/m", .text([1]), mode: 0o755, owner: Owner(uid: 7, gid: 8)),
        try Sample.entry("/z", .hardlink(target: ImagePath(absolute: "/m"))),
        try Sample.entry("/a", .hardlink(target: ImagePath(absolute: "/z"))),
      ]))
    #expect(plan.listing == ["/a 755 7:8", "/m => a 755 7:8", "/z => a 755 7:8"])
  }

  @Test("a layer repeats the directories of lower layers with their own metadata")
  func lowerDirectories() throws {
    var planner = try Sample.planner(in: directory)
    _ = try planner.plan(
      Sample.layer(
        "base",
        [
          try Sample.entry("/root", .directory, mode: 0o700, owner: Owner(uid: 1, gid: 2))
        ]))
    let plan = try planner.plan(Sample.layer("top", [try Sample.entry("/root/x", .text([]))]))
    #expect(plan.listing == ["/root/ 700 1:2", "/root/x 644 0:0"])
  }

  @Test("everything that is wrong with a layer is said at once, with both places")
  func allAtOnce() throws {
    let texts = try complaints([
      Sample.layer([
        try Sample.entry("/a", .text([]), line: 1), try Sample.entry("/a", .text([]), line: 2),
        try Sample.entry("/f", .symlink(target: [97]), line: 3),
        try Sample.entry("/f/x", .text([]), line: 4),
        try Sample.entry("/h", .hardlink(target: ImagePath(absolute: "/none")), line: 5),
        try Sample.entry("/l", .file("/nonexistent/file"), line: 6),
        try Sample.entry("/c1", .hardlink(target: ImagePath(absolute: "/c2")), line: 7),
        try Sample.entry("/c2", .hardlink(target: ImagePath(absolute: "/c1")), line: 8),
      ])
    ])
    #expect(
      texts == [
        "image.yaml:6:1: reading \"/nonexistent/file\": no such file",
        "image.yaml:2:1: \"/a\" is already there, put by image.yaml:1:1; a layer has one entry a path: remove one of the two or move it to another layer",
        "image.yaml:4:1: \"/f/x\" cannot lie below \"/f\", which is not a directory (put by image.yaml:3:1)",
        "image.yaml:7:1: hardlink \"/c1\" leads back to itself",
        "image.yaml:8:1: hardlink \"/c2\" leads back to itself",
        "image.yaml:5:1: hardlink \"/h\": expected a file \"/none\" in the same layer, found none",
      ])
  }

  @Test("a file below a symlink of a lower layer is written where it leads")
  func belowLowerSymlink() throws {
    var planner = try Sample.planner(in: directory)
    _ = try planner.plan(
      Sample.layer(
        "base",
        [
          try Sample.entry("/usr/lib", .directory, mode: 0o711),
          try Sample.entry("/lib", .symlink(target: Array("usr/lib".utf8))),
        ]))
    let plan = try planner.plan(Sample.layer("top", [try Sample.entry("/lib/x", .text([]))]))
    #expect(plan.listing == ["/usr/ 755 0:0", "/usr/lib/ 711 0:0", "/usr/lib/x 644 0:0"])
  }

  @Test("on scratch a directory of a tree is as the tree says, whatever lower layers have")
  func treeOnLowerDirectory() throws {
    try directory.write("src/in/x", "x")
    var planner = try Sample.planner(in: directory)
    _ = try planner.plan(
      Sample.layer("base", [try Sample.entry("/srv/in", .directory, mode: 0o700)]))
    let source = directory.path.appending("src")
    let plan = try planner.plan(
      Sample.layer("top", [try Sample.entry("/srv", .tree(source, include: [], exclude: []))]))
    #expect(plan.listing == ["/srv/ 755 0:0", "/srv/in/ 755 0:0", "/srv/in/x 644 0:0"])
  }

  @Test("what ociforge writes stays out of a tree, with the folders that only lead there")
  func reserved() throws {
    try directory.write("src/a", "x")
    try directory.write("src/build/out/index.json", "{}")
    let source = directory.path.appending("src")
    let output = try #require(try FileSystem.status(of: source.appending("build/out")))
    var planner = try LayerPlanner(
      epoch: 0, inputs: [:], spoolStore: .init(root: directory.path.appending("spool")),
      reserved: [output.identity])
    let plan = try planner.plan(
      Sample.layer([try Sample.entry("/app", .tree(source, include: [], exclude: []))]))
    #expect(plan.listing == ["/app/ 755 0:0", "/app/a 644 0:0"])
  }
}
