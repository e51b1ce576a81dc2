import OCISpec
import Testing

@Suite("ImagePath")
struct ImagePathTests {
  @Test(
    "parses the absolute form of definitions",
    arguments: [
      ("/", ""), ("/etc", "etc"), ("/etc/ssl/certs", "etc/ssl/certs"), ("/a b/.x", "a b/.x"),
      ("/…", "…"),
    ])
  func parsesAbsolute(text: String, bytes: String) throws {
    let path = try ImagePath(absolute: text)
    #expect(path.bytes == Array(bytes.utf8))
    #expect(path.description == text)
  }

  @Test(
    "refuses absolute forms that have more than one reading",
    arguments: [
      ("", .notAbsolute), ("etc", .notAbsolute), ("./etc", .notAbsolute), ("//", .emptyComponent),
      ("//etc", .emptyComponent), ("/etc/", .emptyComponent), ("/etc//ssl", .emptyComponent),
      ("/.", .dotComponent), ("/..", .dotComponent), ("/etc/../passwd", .dotComponent),
      ("/etc/./passwd", .dotComponent), ("/a\0b", .nul),
      ("/" + String(repeating: "a", count: 256), .longComponent),
      (String(repeating: "/abcdefg", count: 513), .tooLong),
    ] as [(String, ImagePathError.Problem)])
  func refusesAbsolute(text: String, problem: ImagePathError.Problem) {
    #expect { try ImagePath(absolute: text) } throws: {
      ($0 as? ImagePathError)?.problem == problem
    }
  }

  @Test(
    "parses names as archives spell them",
    arguments: [
      (".", ""), ("./", ""), ("a", "a"), ("a/", "a"), ("./a/b", "a/b"), ("././a/", "a"),
      (".a", ".a"),
      ("..a", "..a"), ("a/...", "a/..."),
    ])
  func parsesArchived(name: String, bytes: String) throws {
    #expect(try ImagePath(archived: Array(name.utf8)).bytes == Array(bytes.utf8))
  }

  @Test(
    "refuses names in archives that lead out or nowhere",
    arguments: [
      ("", .emptyComponent), ("/", .absolute), ("/etc", .absolute), ("..", .dotComponent),
      ("../a", .dotComponent), ("a/..", .dotComponent), ("a/../b", .dotComponent),
      ("a//", .emptyComponent),
      (".//a", .emptyComponent), ("a//b", .emptyComponent), ("a/./b", .dotComponent),
    ] as [(String, ImagePathError.Problem)])
  func refusesArchived(name: String, problem: ImagePathError.Problem) {
    #expect { try ImagePath(archived: Array(name.utf8)) } throws: {
      ($0 as? ImagePathError)?.problem == problem
    }
  }

  @Test("a long run of ./ is read in linear time")
  func readsDotsLinearly() throws {
    let name = String(repeating: "./", count: 1_000_000) + "a"
    #expect(try ImagePath(archived: Array(name.utf8)).bytes == [0x61])
  }

  @Test("appends one name, and nothing that is more or less than one")
  func appends() throws {
    let etc = try ImagePath(absolute: "/etc")
    #expect(try etc.appending(component: Array("ssl".utf8)).description == "/etc/ssl")
    #expect(try ImagePath.root.appending(component: Array("etc".utf8)) == etc)
    let table: [(String, ImagePathError.Problem)] = [
      ("", .emptyComponent), ("a/b", .slash), ("..", .dotComponent), (".", .dotComponent),
      ("\0", .nul),
    ]
    for (name, problem) in table {
      for path in [etc, .root] {
        #expect { try path.appending(component: Array(name.utf8)) } throws: {
          ($0 as? ImagePathError)?.problem == problem
        }
      }
    }
  }

  @Test("sorts a directory before what it holds, whiteouts first, by unsigned bytes")
  func order() throws {
    let sorted = [
      "/", "/.wh.gone", "/a", "/a/.wh..wh..opq", "/a/.wh.z", "/a/b", "/a/b/c", "/a-b", "/a.b",
      "/ab", "/b", "/é",
    ]
    let paths = try sorted.map { try ImagePath(absolute: $0) }
    #expect(paths.reversed().sorted().map(\.description) == sorted)
    let high = try ImagePath(absolute: [0x2F, 0xFF])
    #expect(try ImagePath(absolute: "/é") < high)
    #expect(high.description == "/\\xff")
  }

  @Test("knows parents, names and what lies within what")
  func relations() throws {
    let path = try ImagePath(absolute: "/etc/ssl/certs")
    #expect(path.parent?.description == "/etc/ssl")
    #expect(path.name == Array("certs".utf8))
    #expect(ImagePath.root.parent == nil)
    #expect(path.isWithin(.root) && path.isWithin(path))
    #expect(try !ImagePath(absolute: "/etc2").isWithin(ImagePath(absolute: "/etc")))
    #expect(try ImagePath(absolute: "/a/.wh.b").isWhiteout)
    #expect(!path.isWhiteout)
  }

  @Test("names are equal by their bytes, not by Unicode normalization")
  func equality() throws {
    #expect(try ImagePath(absolute: "/\u{e9}") != ImagePath(absolute: "/e\u{301}"))
  }
}
