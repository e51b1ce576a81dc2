import OCILayout
import OCISpec
import Reporting
import Testing

@Suite("Errors of looking into images")
struct FilesystemErrorTests {
  static let layer = try? Digest(.sha256, hex: String(repeating: "a", count: 64))

  @Test("every error of a layer says where, what was expected and what was found")
  func layerErrors() throws {
    let layer = try #require(Self.layer)
    let path = try ImagePath(absolute: "/a/b")
    let name = #expect(throws: ImagePathError.self) { try ImagePath(archived: Array("/x".utf8)) }
    let table: [(LayerError, String)] = [
      (
        .hostileName(layer: layer, try #require(name)),
        #"expected a relative path, got "/x""#
      ),
      (
        .whiteout(layer: layer, path),
        #"/a/b: expected a whiteout to name a file after ".wh.", found no name that can be removed"#
      ),
      (
        .unsupportedType(layer: layer, path, "a socket"),
        "/a/b: expected a file, directory, link, device or fifo, found a socket"
      ),
      (
        .belowFile(layer: layer, path), "/a/b: expected it below directories, found a file above it"
      ),
      (
        .rootNotDirectory(layer: layer),
        "expected the root to be a directory, found another kind of entry"
      ),
      (
        .hardlinkTarget(layer: layer, path, target: "/c"),
        #"/a/b: expected the target of a hardlink to be a file, found none at "/c""#
      ),
      (.symlinkLoop(layer: layer, path), "/a/b: expected at most 40 symlinks above it, found more"),
      (
        .tooDeep(layer: layer, path), "/a/b: expected at most 2048 directories above it, found more"
      ),
      (.tooManyEntries(layer: layer), "expected at most 5000000 entries, found more"),
      (
        .tooManyNames(layer: layer, limit: 256 << 20),
        "expected at most 268.4 MB of names, link targets and extended attributes, found more"
      ),
    ]
    for (error, text) in table {
      #expect(error.description == "layer \(layer): \(text)")
      #expect(error.kind == .data)
    }
  }

  @Test("every error of a lookup says what was looked for, and the way out where one is known")
  func filesystemErrors() throws {
    let etc = try ImagePath(absolute: "/etc"), file = try ImagePath(absolute: "/etc/ssl")
    let table: [(ImageFilesystemError, FailureKind, String)] = [
      (
        .notFound("/etc/sl", in: etc, suggestion: file), .notFound,
        #"no "/etc/sl" in the image: "/etc" is the last directory on the way; did you mean "/etc/ssl"?"#
      ),
      (
        .notFound("/etc/x", in: etc, suggestion: nil), .notFound,
        #"no "/etc/x" in the image: "/etc" is the last directory on the way; `ls` shows what there is"#
      ),
      (
        .notDirectory("/etc/ssl/a", file), .notFound,
        #"no "/etc/ssl/a" in the image: expected "/etc/ssl" to be a directory, found a file"#
      ),
      (
        .notFile(etc, found: "a directory"), .data,
        #"reading "/etc" in the image: expected a file, found a directory"#
      ),
      (
        .symlinkLoop("/a"), .data,
        #"following "/a" in the image: expected at most 40 symlinks, found more"#
      ),
      (
        .changedContent(file, expected: 3, found: 2), .data,
        #"reading "/etc/ssl" in the image: expected 3 bytes, found 2"#
      ),
    ]
    for (error, kind, text) in table {
      #expect(error.description == text)
      #expect(error.kind == kind)
    }
  }
}
