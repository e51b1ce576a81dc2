import Definition
import Testing

@Suite("Complaints about inputs")
struct InputsComplaintTests {
  @Test("every mistake is named with its place, once", arguments: cases)
  func complaints(_ example: ComplaintCase) { example.check() }

  static let cases: [ComplaintCase] = [
    ComplaintCase(
      "no source",
      after: #"""
        inputs:
          a: {}
        layers: []
        """#,
      [
        #"image.yaml:5:6: inputs.a: expected one of the keys "url", "file", found none"#
      ]),
    ComplaintCase(
      "two sources",
      after: #"""
        inputs:
          a: { file: x, url: https://e.org/x }
        layers: []
        """#,
      [
        #"image.yaml:5:17: inputs.a: expected one of the keys "url", "file", found "url" beside "file""#
      ]),
    ComplaintCase(
      "sources of later versions",
      after: #"""
        inputs:
          a: { image: alpine }
          b: { package: curl }
          c: { command: [make] }
        layers: []
        """#,
      [
        #"image.yaml:5:8: inputs.a: "image" is not yet supported by this version: expected "url" or "file""#,
        #"image.yaml:6:8: inputs.b: "package" is not yet supported by this version: expected "url" or "file""#,
        #"image.yaml:7:8: inputs.c: "command" is not yet supported by this version: expected "url" or "file""#,
      ]),
    ComplaintCase(
      "a text instead of a map",
      after: #"""
        inputs:
          a: https://e.org/x
        layers: []
        """#,
      [
        #"image.yaml:5:6: inputs.a: expected a map with "url" or "file", found the text "https://e.org/x""#
      ]),
    ComplaintCase(
      "an ftp URL and one without scheme",
      after: #"""
        inputs:
          a: { url: ftp://e.org/x }
          b: { url: e.org/x }
        layers: []
        """#,
      [
        #"image.yaml:5:13: url: expected an https or http URL, found the scheme "ftp""#,
        #"image.yaml:6:13: url: expected an https or http URL, found one without a scheme"#,
      ]),
    ComplaintCase(
      "http without a digest",
      after: #"""
        inputs:
          a: { url: http://e.org/x }
        layers: []
        """#,
      [
        #"image.yaml:5:13: url: expected https, or a "sha256" beside it, found http without one: anyone on the way could change the file"#
      ]),
    ComplaintCase(
      "http with a wrong digest has one complaint",
      after: #"""
        inputs:
          a: { url: http://e.org/x, sha256: "12" }
        layers: []
        """#,
      [
        #"image.yaml:5:37: sha256: expected 64 lower-case hexadecimal digits, found "12", length 2"#
      ]),
    ComplaintCase(
      "a password in a URL is refused and not repeated",
      after: #"""
        inputs:
          a: { url: "https://me:secret@e.org/x?token=1" }
        layers: []
        """#,
      [
        #"image.yaml:5:13: url: expected a URL without user and password, found one"#
      ]),
    ComplaintCase(
      "URLs without host, with blanks, with a fragment",
      after: #"""
        inputs:
          a: { url: "https:///x" }
          b: { url: "https://e.org/a b" }
          c: { url: "https://e.org/a#b" }
        layers: []
        """#,
      [
        #"image.yaml:5:13: url: expected an https or http URL, found one without a host"#,
        #"image.yaml:6:13: url: expected a URL of printable ASCII characters, found others; write them as %XX"#,
        ##"image.yaml:7:13: url: expected a URL without "#", found one"##,
      ]),
    ComplaintCase(
      "a digest in capitals",
      after: #"""
        inputs:
          a: { url: https://e.org/x, sha256: "ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB" }
        layers: []
        """#,
      [
        #"image.yaml:5:38: sha256: expected 64 lower-case hexadecimal digits, found "ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB"; write "abababababababababababababababababababababababababababababababab""#
      ]),
    ComplaintCase(
      "a digest with its algorithm",
      after: #"""
        inputs:
          a: { url: https://e.org/x, sha256: "sha256:abababababababababababababababababababababababababababababababab" }
        layers: []
        """#,
      [
        #"image.yaml:5:38: sha256: expected 64 lower-case hexadecimal digits, found "sha256:abababababababababababababababababababababababababababababababab"; write "abababababababababababababababababababababababababababababababab""#
      ]),
    ComplaintCase(
      "a digest of digits alone without quotes",
      after: #"""
        inputs:
          a: { url: https://e.org/x, sha256: 1212121212121212121212121212121212121212121212121212121212121212 }
        layers: []
        """#,
      [
        #"image.yaml:5:38: sha256: expected 64 lower-case hexadecimal digits, found the integer 1212121212121212121212121212121212121212121212121212121212121212; quote it: "1212121212121212121212121212121212121212121212121212121212121212""#
      ]),
    ComplaintCase(
      "a number that quotes make no digest of",
      after: #"""
        inputs:
          a: { url: https://e.org/x, sha256: 1234 }
        layers: []
        """#,
      [
        #"image.yaml:5:38: sha256: expected 64 lower-case hexadecimal digits, found the integer 1234"#
      ]),
    ComplaintCase(
      "a digest beside a local file",
      after: #"""
        inputs:
          a: { file: x, sha256: "abababababababababababababababababababababababababababababababab", checksums: https://e.org/s }
        layers: []
        """#,
      [
        #"image.yaml:5:17: inputs.a: expected no "sha256", which is for "url": local files are not pinned"#,
        #"image.yaml:5:93: inputs.a: expected no "checksums", which is for "url": local files are not pinned"#,
      ]),
    ComplaintCase(
      "checksums over http",
      after: #"""
        inputs:
          a: { url: https://e.org/x, checksums: http://e.org/s }
        layers: []
        """#,
      [
        #"image.yaml:5:41: checksums: expected an https URL, found the scheme "http""#
      ]),
    ComplaintCase(
      "members that are absolute, leave, or are nothing",
      after: #"""
        inputs:
          a: { file: x, member: /a }
          b: { file: x, member: ../a }
          c: { file: x, member: ./ }
        layers: []
        """#,
      [
        #"image.yaml:5:25: member: expected a relative path, got "/a""#,
        #"image.yaml:6:25: member: expected a path without "." and ".." parts, got "../a""#,
        #"image.yaml:7:25: member: expected a file in the archive, found "./""#,
      ]),
    ComplaintCase(
      "a platform that is missing in a map",
      after: #"""
        inputs:
          a: { url: { linux/amd64: https://e.org/x } }
        layers: []
        """#,
      [
        #"image.yaml:5:13: url: expected a value for "linux/arm64", found only "linux/amd64""#
      ]),
    ComplaintCase(
      "a key that is none of the platforms",
      after: #"""
        inputs:
          a: { file: { linux/amd64: x, linux/arm64: y, linux/amd46: z, linux/x86_64: w } }
        layers: []
        """#,
      [
        #"image.yaml:5:48: file: expected a platform of the definition, found "linux/amd46"; did you mean "linux/amd64"?"#,
        #"image.yaml:5:64: file: not a platform: images say "linux/amd64" for "linux/x86_64""#,
      ]),
    ComplaintCase(
      "a mistake that every platform sees is said once",
      after: #"""
        inputs:
          a: { url: "https://e.org/${oss}" }
        layers: []
        """#,
      [
        #"image.yaml:5:13: url: expected a parameter in "${…}", found "oss"; did you mean "os"?"#
      ]),
    ComplaintCase(
      "mistakes that single platforms see are all said",
      after: #"""
        inputs:
          a: { url: https://e.org/x, sha256: { linux/amd64: "1", linux/arm64: "2" } }
        layers: []
        """#,
      [
        #"image.yaml:5:53: sha256.linux/amd64: expected 64 lower-case hexadecimal digits, found "1", length 1"#,
        #"image.yaml:5:71: sha256.linux/arm64: expected 64 lower-case hexadecimal digits, found "2", length 1"#,
      ]),
    ComplaintCase(
      "an empty path and a name with a slash",
      after: #"""
        inputs:
          a: { file: "" }
          b/c: { file: x }
        layers: []
        """#,
      [
        #"image.yaml:5:14: file: expected a path that is not empty and has no control characters, found """#,
        #"image.yaml:6:3: inputs.b/c: expected a name of letters, digits, ".", "_" and "-""#,
      ]),
  ]
}
