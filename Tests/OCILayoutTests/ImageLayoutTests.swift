import Bindings
import Foundation
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@Suite("ImageLayout")
struct ImageLayoutTests {
  private let folder: TemporaryDirectory
  private let path: FilePath

  init() throws {
    folder = try TemporaryDirectory()
    path = folder.path.appending("a/layout")
  }

  private func text(_ name: String) throws -> String {
    String(decoding: try FileSystem.readAll(path.appending(name), limit: 1 << 20), as: UTF8.self)
  }

  @Test("an empty layout is three names, whatever the umask")
  func creates() async throws {
    let path = path.string
    await #expect(processExitsWith: .success) { [path = path as String] in
      umask(0o077)
      _ = try ImageLayout.create(FilePath(path))
    }
    #expect(
      try files(below: FilePath(path)) == ["blobs/", "blobs/sha256/", "index.json", "oci-layout"])
    #expect(try text("oci-layout") == #"{"imageLayoutVersion":"1.0.0"}"#)
    #expect(
      try text("index.json")
        == #"{"manifests":[],"mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2}"#
    )
    for (name, mode) in [
      "": 0o755, "blobs": 0o755, "blobs/sha256": 0o755, "index.json": 0o644, "oci-layout": 0o644,
    ] as [String: UInt32] {
      #expect(try FileSystem.status(of: self.path.appending(name))?.mode == mode, "\(name)")
    }
    #expect(try ImageLayout.open(self.path).index().manifests.isEmpty)
  }

  @Test("creating one that is there opens it; one that a crash cut short is completed")
  func createsAgain() throws {
    let layout = try ImageLayout.create(path)
    try layout.tag(SmallImage.store(in: layout.store), as: "v1")
    let before = try text("index.json")
    #expect(try ImageLayout.create(path).tags().map(\.name) == ["v1"])
    #expect(try text("index.json") == before)
    for start in ["", #"{"imageLayout"#] {
      try folder.write("b/oci-layout", start)
      #expect(try ImageLayout.create(folder.path.appending("b")).tags().isEmpty)
      try FileSystem.removeTree(folder.path.appending("b"))
    }
  }

  @Test("a folder that holds something else is refused with what is there, and not touched")
  func refusesForeignFolders() throws {
    try folder.write("home/notes.txt", "x")
    try folder.write("home/.git/config", "x")
    let home = folder.path.appending("home")
    #expect(
      throws: LayoutError.foreignDirectory(home.string, holds: [".git", "notes.txt"])
    ) { try ImageLayout.create(home) }
    #expect(try files(below: home) == [".git/", ".git/config", "notes.txt"])
    try folder.write("file", "x")
    let error = #expect(throws: FileError.self) {
      try ImageLayout.create(folder.path.appending("file"))
    }
    #expect(error?.kind == .cannotWrite)
  }

  @Test(
    "what a dead process left is nothing in the way of a layout, a file of the user's beside it is")
  func knowsOwnTemporaryFiles() throws {
    try folder.write("a/layout/.ociforge/tmp-0123456789abc", "x")
    try folder.write("a/layout/.ociforge/tmp-0123456789abc.d/x", "x")
    let file = try folder.write("a/layout/.ociforge/settings.yaml", "x")
    #expect(throws: LayoutError.foreignDirectory(path.string, holds: [".ociforge"])) {
      try ImageLayout.create(path)
    }
    #expect(try files(below: path.appending(".ociforge")).count == 4)
    try FileSystem.remove(file)
    _ = try ImageLayout.create(path)
    #expect(try FileSystem.status(of: path.appending(".ociforge")) == nil)
  }

  @Test(
    "a fifo for one of its files is refused, not waited for", .timeLimit(.minutes(1)),
    arguments: ["oci-layout", "index.json"])
  func refusesFifos(name: String) throws {
    let layout = try ImageLayout.create(path)
    let file = path.appending(name), moved = path.appending("moved")
    try FileSystem.rename(file, to: moved)
    #expect(mkfifo(file.string, 0o644) == 0)
    for act in [
      { _ = try ImageLayout.create(path) }, { _ = try ImageLayout.open(path) },
      { try layout.update { $0.annotations["a"] = "b" } },
    ] {
      let error = #expect(throws: LayoutError.self) { try act() }
      #expect(error?.description.contains("\"\(name)\" is no regular file") == true)
    }
    try FileSystem.remove(file)
    try createSymlink(file, target: Array("moved".utf8))
    try layout.update { $0.annotations["a"] = "b" }
    #expect(try ImageLayout.create(path).index().annotations == ["a": "b"])
  }

  @Test("opening says what was found where no layout is, and writes nothing")
  func refusesToOpen() throws {
    let table: [(files: [String: String], kind: FailureKind, found: String)] = [
      ([:], .notFound, "nothing of that name"),
      (["layout/x": ""], .notFound, #"a folder without "oci-layout""#),
      (["layout/oci-layout": "{}"], .notFound, #"a folder without "index.json""#),
      (["layout": "x"], .notFound, "found a file"),
      (["layout/oci-layout": "", "layout/index.json": "{}"], .data, "unexpected end"),
      (["layout/oci-layout": "{}", "layout/index.json": "{}"], .data, "found none"),
      (
        ["layout/oci-layout": #"{"imageLayoutVersion":"2.0.0"}"#, "layout/index.json": "{}"],
        .data, #"expected imageLayoutVersion "1.0.0" in "oci-layout", found "2.0.0""#
      ),
    ]
    for (contents, kind, found) in table {
      let folder = try TemporaryDirectory()
      for (name, text) in contents { try folder.write(name, text) }
      let before = try files(below: folder.path)
      let error = #expect(throws: LayoutError.self) {
        try ImageLayout.open(folder.path.appending("layout"))
      }
      #expect(error?.kind == kind)
      #expect(error?.description.contains(found) == true, "\(error?.description ?? "")")
      #expect(try files(below: folder.path) == before)
    }
  }

  @Test("what other tools put into index.json survives a tag")
  func keepsForeignMembers() throws {
    let layout = try ImageLayout.create(path)
    let image = try SmallImage.store(in: layout.store)
    let foreign =
      #"{"annotations":{"org.opencontainers.image.ref.name":"docker.io/library/app:latest","x":"y"},"data":"e30=","digest":"\#(image.digest)","mediaType":"application/vnd.example+json","size":2,"urls":["https://example.com/a"]}"#
    try folder.write(
      "a/layout/index.json",
      #"{"x-tool":{"n":1.50},"schemaVersion":2,"manifests":[\#(foreign)],"annotations":{"a":"b"}}"#)
    try layout.tag(image, as: "v1")
    let tagged =
      #"{"annotations":{"org.opencontainers.image.ref.name":"v1"},"digest":"\#(image.digest)","mediaType":"application/vnd.oci.image.manifest.v1+json","platform":{"architecture":"amd64","os":"linux"},"size":\#(image.size)}"#
    #expect(
      try text("index.json")
        == #"{"annotations":{"a":"b"},"manifests":[\#(foreign),\#(tagged)],"mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2,"x-tool":{"n":1.50}}"#
    )
    try layout.untag("v1")
    #expect(try text("index.json").contains(foreign))
  }

  @Test("the same tag for the same image is not written again")
  func isIdempotent() throws {
    let layout = try ImageLayout.create(path)
    let image = try SmallImage.store(in: layout.store)
    try layout.tag(image, as: "v1")
    let before = try FileSystem.status(of: path.appending("index.json"))?.version
    try layout.tag(image, as: "v1")
    try layout.update { _ in }
    #expect(try FileSystem.status(of: path.appending("index.json"))?.version == before)
  }

  @Test("a change that fails leaves index.json as it was")
  func failedUpdate() throws {
    struct Stop: Error {}
    let layout = try ImageLayout.create(path)
    let before = try FileSystem.status(of: path.appending("index.json"))?.version
    #expect(throws: Stop.self) {
      try layout.update { index in
        index.annotations["a"] = "b"
        throw Stop()
      }
    }
    #expect(try FileSystem.status(of: path.appending("index.json"))?.version == before)
    try folder.write("a/layout/index.json", "{")
    #expect(throws: LayoutError.self) { try layout.update { $0.annotations["a"] = "b" } }
    #expect(try text("index.json") == "{")
  }

  @Test(
    "eight processes that create and tag one layout at once lose nothing", .timeLimit(.minutes(2)))
  func concurrentProcesses() async throws {
    let path = path.string
    await withTaskGroup(of: Void.self) { group in
      for writer in 0..<8 {
        group.addTask {
          await #expect(processExitsWith: .success) {
            [path = path as String, writer = writer as Int] in
            let layout = try ImageLayout.create(FilePath(path))
            for number in 0..<10 {
              try layout.withWriteSession {
                let image = try SmallImage.store(in: layout.store, file: "\(writer) \(number)")
                try layout.tag(image, as: "w\(writer)-\(number)")
              }
            }
          }
        }
      }
    }
    let layout = try ImageLayout.open(self.path)
    let tags = try layout.tags()
    #expect(Set(tags.map(\.name)).count == 80 && tags.count == 80)
    for tag in tags { #expect(try layout.contents(of: tag.descriptor).images.count == 1) }
    #expect(try files(below: self.path).count == 4 + 3 * 80)
  }

  @Test(
    "a killed writer leaves the old index.json, and the next run clears up", .timeLimit(.minutes(2))
  )
  func killedWriter() async throws {
    let layout = try ImageLayout.create(path)
    try layout.tag(SmallImage.store(in: layout.store), as: "v1")
    let before = try text("index.json"), path = path.string
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let layout = try ImageLayout.open(FilePath(path))
      try layout.withWriteSession {
        _ = try layout.store.put([1])
        let blob = try layout.store.ingest()
        try [UInt8](repeating: 1, count: 1000).withUnsafeBytes { try blob.write($0) }
        try layout.update { _ in kill(getpid(), SIGKILL) }
      }
    }
    #expect(try text("index.json") == before)
    #expect(try files(below: layout.store.temporaryDirectory).count == 2)
    _ = try ImageLayout.create(self.path)
    #expect(try FileSystem.status(of: layout.store.temporaryDirectory) == nil)
  }

  @Test("skopeo and umoci read it", .enabled(if: peers("skopeo", "umoci")))
  func peersRead() throws {
    let layout = try ImageLayout.create(path)
    let image = try SmallImage.store(in: layout.store)
    try layout.tag(image, as: "v1")
    try layout.tag(SmallImage.storeIndex(in: layout.store, file: "other"), as: "many")
    let inspected = try run("skopeo", ["inspect", "--format", "{{.Digest}}", "oci:\(path):v1"])
    #expect(inspected.output == "\(image.digest)\n", "\(inspected.stderr)")
    #expect(try run("skopeo", ["inspect", "oci:\(path):many"]).status == 0)
    #expect(try run("umoci", ["list", "--layout", path.string]).output == "v1\nmany\n")
    let stat = try run("umoci", ["stat", "--image", "\(path):v1"])
    #expect(stat.status == 0 && stat.output.contains("a test"), "\(stat.stderr)")
    // And what skopeo adds is ours to read, with our tags still there.
    let copied = try run("skopeo", ["copy", "oci:\(path):v1", "oci:\(path):v2"])
    #expect(copied.status == 0, "\(copied.stderr)")
    #expect(try layout.resolve(tag: "v2").digest == image.digest)
    #expect(Set(try layout.tags().map(\.name)) == ["v1", "many", "v2"])
  }
}
