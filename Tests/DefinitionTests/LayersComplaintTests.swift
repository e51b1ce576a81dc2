import Definition
import Testing

@Suite("Complaints about layers")
struct LayersComplaintTests {
  @Test("every mistake is named with its place, once", arguments: cases)
  func complaints(_ example: ComplaintCase) { example.check() }

  static let cases: [ComplaintCase] = [
    ComplaintCase(
      "a layer without name and entries",
      after: #"""
        layers: [{}, 5]
        """#,
      [
        #"image.yaml:4:10: layers[0]: expected the key "name", found none"#,
        #"image.yaml:4:10: layers[0]: expected the key "entries", found none"#,
        #"image.yaml:4:14: layers[1]: expected a map with "name" and "entries", found the integer 5"#,
      ]),
    ComplaintCase(
      "a layer's name twice",
      after: #"""
        layers:
          - { name: a, entries: [] }
          - { name: a, entries: [] }
        """#,
      [
        #"image.yaml:6:13: name: expected each layer's name once, found "a" again; the first is at 5:13"#
      ]),
    ComplaintCase(
      "an empty layer's name",
      after: #"""
        layers: [{ name: "", entries: [] }]
        """#,
      [
        #"image.yaml:4:18: name: expected text that is not empty and has no control characters, found """#
      ]),
    ComplaintCase(
      "an entry without content",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a }
        """#,
      [
        #"image.yaml:8:9: entries[0]: expected one of the keys "input", "file", "tree", "archive", "text", "symlink", "hardlink", "directory", "remove", found none"#
      ]),
    ComplaintCase(
      "an entry with two contents",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a, text: x, file: y }
        """#,
      [
        #"image.yaml:8:30: entries[0]: expected one of the keys "input", "file", "tree", "archive", "text", "symlink", "hardlink", "directory", "remove", found "file" beside "text""#
      ]),
    ComplaintCase(
      "a misspelt content is not missing, too",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a, simlink: x }
        """#,
      [
        #"image.yaml:8:21: entries[0]: expected a known key, found "simlink"; did you mean "symlink"?"#
      ]),
    ComplaintCase(
      "remove",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a, remove: true, mode: "0644", owner: "1:1", mtime: 5, xattrs: {} }
              - { path: /b, remove: false }
              - { path: /c, remove: true, text: x }
              - { path: /d, remove: true }
              - { path: /d, directory: true }
              - { path: /d, remove: true }
              - { path: /e, remove: true }
              - { path: /e/new, text: x }
              - { path: /f, text: x }
              - { path: /f, remove: true }
              - { path: /, remove: true }
        """#,
      [
        #"image.yaml:8:35: entries[0]: expected no "mode", which nothing has that is removed"#,
        #"image.yaml:8:49: entries[0]: expected no "owner", which nothing has that is removed"#,
        #"image.yaml:8:63: entries[0]: expected no "mtime", which nothing has that is removed"#,
        #"image.yaml:8:73: entries[0]: expected no "xattrs", which nothing has that is removed"#,
        #"image.yaml:9:29: remove: expected true, found the boolean false"#,
        #"image.yaml:10:35: entries[2]: expected one of the keys "input", "file", "tree", "archive", "text", "symlink", "hardlink", "directory", "remove", found "text" beside "remove""#,
        #"image.yaml:13:17: path: expected each path once in a layer, found "/d" again; the first is at 11:17"#,
        #"image.yaml:18:17: path: expected a path below "/", found "/" itself, which only "tree", "archive" and "directory" can have"#,
      ]),
    ComplaintCase(
      "an input that is not there, and one near",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a, input: tolo }
              - { path: /b, archive: { input: rootfs } }
        """#,
      [
        #"image.yaml:8:28: input: expected the name of an input, found "tolo"; did you mean "tool"?"#,
        #"image.yaml:9:39: input: expected the name of an input, found "rootfs"; there is "tool""#,
      ]),
    ComplaintCase(
      "paths: relative, dots, double and trailing slash",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: a, text: x }
              - { path: /a/../b, text: x }
              - { path: //a, text: x }
              - { path: /a/, text: x }
        """#,
      [
        #"image.yaml:8:17: path: expected a path that starts with "/", got "a""#,
        #"image.yaml:9:17: path: expected a path without "." and ".." parts, got "/a/../b""#,
        #"image.yaml:10:17: path: expected a path without empty parts between slashes, got "//a""#,
        #"image.yaml:11:17: path: expected a path without empty parts between slashes, got "/a/""#,
      ]),
    ComplaintCase(
      "a whiteout's name",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a/.wh.b, text: x }
              - { path: /.wh..wh..opq/b, text: x }
        """#,
      [
        #"image.yaml:8:17: path: expected no name that starts with ".wh.", which layers reserve for removed files, found "/a/.wh.b""#,
        #"image.yaml:9:17: path: expected no name that starts with ".wh.", which layers reserve for removed files, found "/.wh..wh..opq/b""#,
      ]),
    ComplaintCase(
      "the root as a file",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /, text: x }
        """#,
      [
        #"image.yaml:8:17: path: expected a path below "/", found "/" itself, which only "tree", "archive" and "directory" can have"#
      ]),
    ComplaintCase(
      "a mode without quotes",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a, text: x, mode: 0644 }
              - { path: /b, text: x, mode: 0o644 }
        """#,
      [
        #"image.yaml:8:36: mode: expected a quoted octal mode such as "0644", found the integer 0644; quote it: "0644""#,
        #"image.yaml:9:36: mode: expected a quoted octal mode such as "0644", found the integer 0o644; quote it: "0644""#,
      ]),
    ComplaintCase(
      "modes that are none",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a, text: x, mode: "64" }
              - { path: /b, text: x, mode: "0999" }
              - { path: /c, text: x, mode: u+x }
        """#,
      [
        #"image.yaml:8:36: mode: expected a quoted octal mode such as "0644", found "64""#,
        #"image.yaml:9:36: mode: expected a quoted octal mode such as "0644", found "0999""#,
        #"image.yaml:10:36: mode: expected a quoted octal mode such as "0644", found "u+x""#,
      ]),
    ComplaintCase(
      "owners that are none",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a, text: x, owner: root:root }
              - { path: /b, text: x, owner: 0 }
              - { path: /c, text: x, owner: "0:4294967295" }
        """#,
      [
        #"image.yaml:8:37: owner: expected "uid:gid", numbers from 0 to 4294967294, found "root:root""#,
        #"image.yaml:9:37: owner: expected "uid:gid", numbers from 0 to 4294967294, found the integer 0"#,
        #"image.yaml:10:37: owner: expected "uid:gid", numbers from 0 to 4294967294, found "0:4294967295""#,
      ]),
    ComplaintCase(
      "times that are none",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a, text: x, mtime: -1 }
              - { path: /b, text: x, mtime: 8589934592 }
              - { path: /c, text: x, mtime: 2025-02-29T00:00:00Z }
              - { path: /d, text: x, mtime: 2025-07-15 }
              - { path: /e, text: x, mtime: 1.5 }
        """#,
      [
        #"image.yaml:8:37: mtime: expected seconds from 0 to 8589934591, or a time such as 2025-07-15T00:00:00Z, found the integer -1"#,
        #"image.yaml:9:37: mtime: expected seconds from 0 to 8589934591, or a time such as 2025-07-15T00:00:00Z, found the integer 8589934592"#,
        #"image.yaml:10:37: mtime: expected seconds from 0 to 8589934591, or a time such as 2025-07-15T00:00:00Z, found "2025-02-29T00:00:00Z""#,
        #"image.yaml:11:37: mtime: expected seconds from 0 to 8589934591, or a time such as 2025-07-15T00:00:00Z, found "2025-07-15""#,
        #"image.yaml:12:37: mtime: expected seconds from 0 to 8589934591, or a time such as 2025-07-15T00:00:00Z, found the number 1.5"#,
      ]),
    ComplaintCase(
      "extended attributes that are not allowed",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a, text: x, xattrs: { security.selinux: x, user.: x, user.n: 5 } }
              - { path: /b, text: x, xattrs: { user.a: { base64: "A?" }, user.b: { hex: "00" } } }
        """#,
      [
        #"image.yaml:8:40: xattrs.security.selinux: expected "user.*" or "security.capability", found "security.selinux""#,
        #"image.yaml:8:61: xattrs.user.: expected "user.*" or "security.capability", found "user.""#,
        #"image.yaml:8:79: xattrs.user.n: expected text, found the integer 5; quote it: "5""#,
        #"image.yaml:9:58: base64: expected base64, found "A?""#,
        #"image.yaml:9:74: xattrs.user.b: expected the key "base64", found none"#,
        #"image.yaml:9:76: xattrs.user.b: expected a known key, found "hex"; there is "base64""#,
      ]),
    ComplaintCase(
      "attributes that hardlinks and symlinks do not have",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a, text: x }
              - { path: /b, hardlink: /a, mode: "0644", owner: "0:0" }
              - { path: /c, symlink: a, mode: "0777" }
              - { path: /d, tree: t, xattrs: { user.a: b } }
        """#,
      [
        #"image.yaml:9:35: entries[1]: expected no "mode", which a hardlink shares with its file"#,
        #"image.yaml:9:49: entries[1]: expected no "owner", which a hardlink shares with its file"#,
        #"image.yaml:10:33: entries[2]: expected no "mode", which symlinks do not have"#,
        #"image.yaml:11:30: entries[3]: expected no "xattrs", which a single file or directory has"#,
      ]),
    ComplaintCase(
      "patterns without a tree, and broken ones",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a, text: x, include: ["*"] }
              - { path: /b, tree: t, include: ["a/", "[a"], exclude: ["../x", "[z-a]", "a\\"] }
        """#,
      [
        #"image.yaml:8:30: entries[0]: expected no "include", which is for "tree""#,
        #"image.yaml:9:40: include[0]: expected a pattern without "/" at its end (it covers all below a directory anyway), found "a/""#,
        #"image.yaml:9:46: include[1]: expected "]" after "[", found none in "[a""#,
        #"image.yaml:9:63: exclude[0]: expected a pattern without empty, "." and ".." parts, found "../x""#,
        #"image.yaml:9:71: exclude[1]: expected ASCII characters in ascending ranges between "[" and "]", found "[z-a]""#,
        #"image.yaml:9:80: exclude[2]: expected a character after the last "\", found none in "a\""#,
      ]),
    ComplaintCase(
      "directory: false",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a, directory: false }
        """#,
      [
        #"image.yaml:8:32: directory: expected true, found the boolean false"#
      ]),
    ComplaintCase(
      "a path twice",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a, text: x }
              - { path: /a, symlink: b }
        """#,
      [
        #"image.yaml:9:17: path: expected each path once in a layer, found "/a" again; the first is at 8:17"#
      ]),
    ComplaintCase(
      "a directory twice, and one that is also a file",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a, directory: true }
              - { path: /a, directory: true }
              - { path: /b, tree: t }
              - { path: /b, text: x }
        """#,
      [
        #"image.yaml:9:17: path: expected each path once in a layer, found "/a" again; the first is at 8:17"#,
        #"image.yaml:11:17: path: expected each path once in a layer, found "/b" again; the first is at 10:17"#,
      ]),
    ComplaintCase(
      "an entry under a file",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a/b/c, text: x }
              - { path: /a, text: x }
        """#,
      [
        #"image.yaml:8:17: path: expected a directory at "/a", found that the entry at 9:17 makes it a file"#
      ]),
    ComplaintCase(
      "an entry under a symlink",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /lib, symlink: usr/lib }
              - { path: /lib/x, tree: t }
        """#,
      [
        #"image.yaml:9:17: path: expected a directory at "/lib", found that the entry at 8:17 makes it a symlink"#
      ]),
    ComplaintCase(
      "hardlinks to nothing, to a directory, to a hardlink and to themselves",
      after: #"""
        inputs: { tool: { file: x } }
        layers:
          - name: l
            entries:
              - { path: /a/file, text: x }
              - { path: /b, hardlink: /a/flie }
              - { path: /c, hardlink: /a }
              - { path: /d, hardlink: /e }
              - { path: /e, hardlink: /a/file }
              - { path: /f, hardlink: /f }
        """#,
      [
        #"image.yaml:9:31: hardlink: expected a file of the same layer, found "/a/flie"; did you mean "/a/file"?"#,
        #"image.yaml:10:31: hardlink: expected a file of the same layer, found "/a"; there is "/a/file""#,
        #"image.yaml:11:31: hardlink: expected a file, found "/e", itself a hardlink"#,
        #"image.yaml:13:31: hardlink: expected a file, found "/f", itself a hardlink"#,
      ]),
  ]
}
