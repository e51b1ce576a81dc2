import Assembly
import Bindings
import Definition
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("Removal") struct RemovalTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func base() throws -> ResolvedBase {
    try ResolvedBase(
      [
        [
          .symlink("lib", to: "usr/lib"), .directory("etc", mode: 0o751).owned(1, 2),
          .file("etc/motd"), .file("etc/hosts"), .directory("usr"), .directory("usr/lib"),
          .file("usr/lib/x"), .directory("srv", mode: 0o700), .file("srv/a"), .file("srv/b"),
          .directory("srv/in", mode: 0o711), .file("srv/in/c"), .file("srv/in/d"),
        ]
      ], in: BlobStore(root: directory.path.appending("base")))
  }

  private func plan(
    on base: ResolvedBase?, _ entries: [LayerEntry]
  ) throws -> (listing: [String], complaints: [String]) {
    var planner = try Sample.planner(in: directory, epoch: 7, base: base)
    do {
      return (try planner.plan(Sample.layer(entries)).listing, [])
    } catch let list as FailureList { return ([], list.failures.map(\.description)) }
  }

  @Test("a whiteout is an empty file with the fixed header, before its siblings")
  func whiteout() throws {
    var planner = try Sample.planner(in: directory, epoch: 7, base: base())
    let plan = try planner.plan(
      Sample.layer([
        try Sample.entry("/etc/motd", .remove), try Sample.entry("/etc/a", .text([])),
        try Sample.entry("/etc/.hidden", .text([])),
      ]))
    #expect(
      plan.listing == [
        "/etc/ 751 1:2", "/etc/.wh.motd 644 0:0", "/etc/.hidden 644 0:0", "/etc/a 644 0:0",
      ])
    #expect(plan.entries[1].kind == .file(size: 0))
    #expect(plan.entries[1].mtime == 7)
  }

  @Test(
    "a removed path is found behind symlinks, is itself not followed, and takes all below it",
    arguments: [
      (["/lib/x"], ["/usr/ 755 0:0", "/usr/lib/ 755 0:0", "/usr/lib/.wh.x 644 0:0"]),
      (["/lib"], ["/.wh.lib 644 0:0"]),
      (["/srv"], ["/.wh.srv 644 0:0"]),
      (["/srv/a", "/srv", "/srv/in/c"], ["/.wh.srv 644 0:0"]),
      (
        ["/lib/x", "/usr/lib/x"], ["/usr/ 755 0:0", "/usr/lib/ 755 0:0", "/usr/lib/.wh.x 644 0:0"]
      ),
    ])
  func paths(_ removed: [String], _ listing: [String]) throws {
    let found = try plan(on: base(), try removed.map { try Sample.entry($0, .remove) })
    #expect(found.complaints == [])
    #expect(found.listing == listing)
  }

  @Test("what takes a removed file's place is enough, whatever it is")
  func replaced() throws {
    let found = try plan(
      on: base(),
      [
        try Sample.entry("/etc/motd", .remove), try Sample.entry("/etc/motd", .text([])),
        try Sample.entry("/srv", .remove), try Sample.entry("/srv", .symlink(target: [0x61])),
      ])
    #expect(found.complaints == [])
    #expect(found.listing == ["/etc/ 751 1:2", "/etc/motd 644 0:0", "/srv -> a 777 0:0"])
  }

  @Test("a directory made anew has none of the old one's names and attributes")
  func anew() throws {
    let found = try plan(
      on: base(),
      [
        try Sample.entry("/srv", .remove), try Sample.entry("/srv/in/c", .text([1])),
        try Sample.entry("/srv/b", .directory),
      ])
    #expect(found.complaints == [])
    #expect(
      found.listing == [
        "/srv/ 755 0:0", "/srv/.wh.a 644 0:0", "/srv/b/ 755 0:0", "/srv/in/ 755 0:0",
        "/srv/in/.wh.d 644 0:0", "/srv/in/c 644 0:0",
      ])
  }

  @Test("a removed symlink is followed no more")
  func symlink() throws {
    let found = try plan(
      on: base(), [try Sample.entry("/lib", .remove), try Sample.entry("/lib/x", .text([]))])
    #expect(found.complaints == [])
    #expect(found.listing == ["/lib/ 755 0:0", "/lib/x 644 0:0"])
  }

  @Test("what a layer removed is not there for the next one")
  func nextLayer() throws {
    var planner = try Sample.planner(in: directory, base: base())
    _ = try planner.plan(
      Sample.layer("one", [try Sample.entry("/srv", .remove), try Sample.entry("/lib", .remove)]))
    let plan = try planner.plan(
      Sample.layer(
        "two", [try Sample.entry("/srv/x", .text([])), try Sample.entry("/lib/x", .text([]))]))
    #expect(
      plan.listing == ["/lib/ 755 0:0", "/lib/x 644 0:0", "/srv/ 755 0:0", "/srv/x 644 0:0"])
    #expect(throws: FailureList.self) {
      try planner.plan(Sample.layer("three", [try Sample.entry("/srv/a", .remove)]))
    }
  }

  @Test("what is not in a lower layer cannot be removed, and a near name is suggested")
  func missing() throws {
    let long = "/" + String(repeating: "n", count: 252)
    let found = try plan(
      on: base(),
      [
        try Sample.entry("/etc/modt", .remove, line: 1),
        try Sample.entry("/ect/motd", .remove, line: 2),
        try Sample.entry("/unlike", .remove, line: 3), try Sample.entry("/own", .text([]), line: 4),
        try Sample.entry("/own", .remove, line: 5),
        try Sample.entry("/etc/motd/x", .remove, line: 6),
        try Sample.entry(long, .remove, line: 7),
      ])
    #expect(
      found.complaints == [
        "image.yaml:1:1: removing \"/etc/modt\": expected it in a lower layer, found nothing there; did you mean \"/etc/motd\"?",
        "image.yaml:2:1: removing \"/ect/motd\": expected it in a lower layer, found nothing there; did you mean \"/etc\"?",
        "image.yaml:3:1: removing \"/unlike\": expected it in a lower layer, found nothing there",
        "image.yaml:5:1: removing \"/own\": expected it in a lower layer, found it in this one only; leave it out there",
        "image.yaml:6:1: \"/etc/motd/x\" cannot lie below \"/etc/motd\", which is not a directory (put by the base)",
        "image.yaml:7:1: removing \"\(long)\": expected it in a lower layer, found nothing there",
      ])
  }

  @Test("on scratch there is nothing to remove")
  func scratch() throws {
    let found = try plan(on: nil, [try Sample.entry("/etc", .remove)])
    #expect(
      found.complaints == [
        "image.yaml:1:1: removing \"/etc\": expected it in a lower layer, found nothing there"
      ])
  }

  @Test("a name too long for its whiteout is refused")
  func longName() throws {
    let name = String(repeating: "n", count: 252)
    let base = try ResolvedBase(
      [[.file(name)]], in: BlobStore(root: directory.path.appending("base")))
    let found = try plan(on: base, [try Sample.entry("/" + name, .remove)])
    #expect(found.complaints.count == 1)
    #expect(found.complaints.first?.contains("parts of at most 255 bytes") == true)
  }
}
