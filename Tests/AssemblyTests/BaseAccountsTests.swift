import Assembly
import Bindings
import Definition
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("Accounts on a base") struct BaseAccountsTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private static let passwd = "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/sh"
  private static let group = "root:x:0:\nwww-data:x:33:\nstaff:x:50:ann,bob\n"

  private static let entries: [BaseEntry] = [
    .directory("etc", mode: 0o751), .symlink("etc/passwd", to: "../usr/etc/passwd"),
    .file("usr/etc/passwd", passwd, mode: 0o600).owned(1, 2),
    .file("etc/group", group, mode: 0o640),
  ]

  private static let files = ["/etc/passwd": passwd, "/etc/group": group]

  /// The image's one layer, and what the files in it say.
  private func plan(
    _ accounts: Accounts, on entries: [BaseEntry] = entries, files: [String: String] = files
  ) throws -> (listing: [String], texts: [String], complaints: [String]) {
    let store = BlobStore(root: directory.path.appending("base"))
    let base = try ResolvedBase([entries], in: store, files: files)
    let text = "formatVersion: 1\nname: x\nplatforms: [linux/amd64]\n"
    var definition = try ImageDefinition.parse(Array(text.utf8), file: "image.yaml")
    definition.images[0].accounts = accounts
    do {
      let plan = try AssemblyPlan(
        definition, inputs: [:], bases: [definition.images[0].platform: base], epoch: 7,
        spoolStore: store, reporter: .silent)
      let layers = plan.images[0].layers
      let texts = layers.flatMap(\.entries).compactMap { entry in
        if case .bytes(let bytes) = entry.content {
          String(decoding: bytes, as: UTF8.self)
        } else {
          nil
        }
      }
      return (layers.flatMap(\.listing), texts, [])
    } catch let list as FailureList { return ([], [], list.failures.map(\.description)) }
  }

  @Test("names that the base lacks are appended to its files, which keep mode and owner")
  func appended() throws {
    let found = try plan(
      Accounts(
        users: [.init(name: "app", uid: 1000, gid: 50), .init(name: "www-data", uid: 33)],
        groups: [.init(name: "app", gid: 1000, members: ["www-data"])]))
    #expect(found.complaints == [])
    #expect(
      found.listing == [
        "/etc/ 751 0:0", "/etc/group 640 0:0", "/usr/ 755 0:0", "/usr/etc/ 755 0:0",
        "/usr/etc/passwd 600 1:2",
      ])
    #expect(
      found.texts == [
        Self.group + "app:x:1000:www-data\n", Self.passwd + "\napp:x:1000:50::/:/sbin/nologin\n",
      ])
  }

  @Test("where the base has every name with its numbers, there is no layer")
  func nothingToDo() throws {
    let found = try plan(
      Accounts(
        users: [.init(name: "www-data", uid: 33)],
        groups: [.init(name: "staff", gid: 50, members: ["bob"])]))
    #expect(found.complaints == [])
    #expect(found.listing == [])
  }

  @Test("names that the base has with other numbers or members are refused, all of them")
  func conflicts() throws {
    let found = try plan(
      Accounts(
        users: [.init(name: "www-data", uid: 33, gid: 50), .init(name: "root", uid: 1, gid: 0)],
        groups: [
          .init(name: "staff", gid: 51), .init(name: "www-data", gid: 33, members: ["root"]),
        ]))
    let advice = "take the base's numbers or another name"
    #expect(
      found.complaints == [
        "image.yaml:1:1: user \"www-data\" has 33:33 in the base's \"/etc/passwd\", expected 33:50; \(advice)",
        "image.yaml:1:1: user \"root\" has 0:0 in the base's \"/etc/passwd\", expected 1:0; \(advice)",
        "image.yaml:1:1: group \"staff\" has 50 in the base's \"/etc/group\", expected 51; \(advice)",
        "image.yaml:1:1: group \"www-data\" is in the base's \"/etc/group\" without \"root\"; a group that is there gets no members: leave them out, or write the file as an entry of a layer",
      ])
  }

  @Test("a base without accounts gets the files that have something in them")
  func noFiles() throws {
    let found = try plan(
      Accounts(users: [.init(name: "app", uid: 1)]), on: [.directory("etc", mode: 0o700)],
      files: [:])
    #expect(found.listing == ["/etc/ 700 0:0", "/etc/passwd 644 0:0"])
    #expect(found.texts == ["app:x:1:1::/:/sbin/nologin\n"])
  }

  @Test("a file of the base that is none, leads nowhere or was not read is refused")
  func refused() throws {
    let accounts = Accounts(users: [.init(name: "app", uid: 1)])
    #expect(
      try plan(accounts, on: [.directory("etc/passwd")]).complaints == [
        "image.yaml:1:1: \"/etc/passwd\" is no file in the base, expected a file"
      ])
    #expect(
      try plan(accounts, on: [.symlink("etc/passwd", to: "gone")]).complaints.map {
        $0.contains("the symlink \"/etc/passwd\" leads to \"/etc/gone\"")
      } == [true])
    #expect(
      try plan(accounts, files: [:]).complaints == ["the base's \"/etc/passwd\" was not read"])
  }
}
