import Definition
import Testing

@Suite("Complaints of the top level")
struct TopComplaintTests {
  @Test("every mistake is named with its place, once", arguments: cases)
  func complaints(_ example: ComplaintCase) { example.check() }

  static let cases: [ComplaintCase] = [
    ComplaintCase(
      "an empty file",
      whole: #"""
        """#,
      [
        #"image.yaml:1:1: expected a map with the key "formatVersion", found nothing"#
      ]),
    ComplaintCase(
      "not YAML",
      whole: #"""
        formatVersion: 1
        name: [x
        """#,
      [
        #"image.yaml:3:1: not valid YAML: while parsing a flow sequence: did not find expected ',' or ']'"#
      ]),
    ComplaintCase(
      "a list at the top",
      whole: #"""
        - formatVersion: 1
        """#,
      [
        #"image.yaml:1:1: expected a map with the key "formatVersion", found a list"#
      ]),
    ComplaintCase(
      "a later formatVersion hides the rest",
      whole: #"""
        formatVersion: 2
        nom: x
        """#,
      [
        #"image.yaml:1:16: formatVersion: expected 1, the version that this ociforge reads, found the integer 2"#
      ]),
    ComplaintCase(
      "a quoted formatVersion",
      whole: #"""
        formatVersion: "1"
        name: x
        platforms: [linux/amd64]
        """#,
      [
        #"image.yaml:1:16: formatVersion: expected 1, the version that this ociforge reads, found the text "1"; write it without quotes"#
      ]),
    ComplaintCase(
      "required keys missing",
      whole: #"""
        epoch: 0
        """#,
      [
        #"image.yaml:1:1: expected the key "formatVersion", found none"#,
        #"image.yaml:1:1: expected the key "name", found none"#,
        #"image.yaml:1:1: expected the key "platforms", found none; write platforms: [linux/amd64], or say --platform linux/amd64"#,
      ]),
    ComplaintCase(
      "a misspelt required key is not missing, too",
      whole: #"""
        formatVersion: 1
        nam: x
        platforms: [linux/amd64]
        """#,
      [
        #"image.yaml:2:1: expected a known key, found "nam"; did you mean "name"?"#
      ]),
    ComplaintCase(
      "an unknown key near no other",
      after: #"""
        compression: zstd
        """#,
      [
        #"image.yaml:4:1: expected a known key, found "compression"; there are "formatVersion", "name", "parameters", "platforms", "epoch", "from", "inputs", "accounts", "layers", "config", "annotations""#
      ]),
    ComplaintCase(
      "a duplicate key",
      after: #"""
        epoch: 0
        epoch: 1
        """#,
      [
        #"image.yaml:5:1: expected each key once, found "epoch" again; the first is at 4:1"#
      ]),
    ComplaintCase(
      "a name with capitals",
      whole: #"""
        formatVersion: 1
        name: Tool
        platforms: [linux/amd64]
        """#,
      [
        #"image.yaml:2:7: name: expected a name of lower-case letters, digits, ".", "_" and "-" that starts with a letter or digit, found "Tool""#
      ]),
    ComplaintCase(
      "a name that would leave its folder",
      whole: #"""
        formatVersion: 1
        name: ..
        platforms: [linux/amd64]
        """#,
      [
        #"image.yaml:2:7: name: expected a name of lower-case letters, digits, ".", "_" and "-" that starts with a letter or digit, found "..""#
      ]),
    ComplaintCase(
      "an epoch beyond a tar header",
      after: #"""
        epoch: 8589934592
        """#,
      [
        #"image.yaml:4:8: epoch: expected seconds from 0 to 8589934591, found the integer 8589934592"#
      ]),
    ComplaintCase(
      "a quoted epoch",
      after: #"""
        epoch: "0"
        """#,
      [
        #"image.yaml:4:8: epoch: expected seconds from 0 to 8589934591, found the text "0"; write it without quotes"#
      ]),
    ComplaintCase(
      "an epoch before 1970",
      after: #"""
        epoch: -1
        """#,
      [
        #"image.yaml:4:8: epoch: expected seconds from 0 to 8589934591, found the integer -1"#
      ]),
    ComplaintCase(
      "platforms: empty, misspelt, repeated",
      whole: #"""
        formatVersion: 1
        name: x
        platforms: [linux, linux/x86_64, linux/arm64, linux/arm64/v8]
        """#,
      [
        #"image.yaml:3:13: platforms[0]: not a platform: expected "os/architecture" or "os/architecture/variant" such as "linux/amd64", got "linux""#,
        #"image.yaml:3:20: platforms[1]: not a platform: images say "linux/amd64" for "linux/x86_64""#,
        #"image.yaml:3:47: platforms[3]: expected each platform once, found "linux/arm64/v8" again"#,
      ]),
    ComplaintCase(
      "an empty list of platforms",
      whole: #"""
        formatVersion: 1
        name: x
        platforms: []
        """#,
      [
        #"image.yaml:3:12: platforms: expected at least one platform, found none"#
      ]),
    ComplaintCase(
      "a base that is not scratch",
      after: #"""
        from: docker.io/library/alpine:3.20
        """#,
      [
        #"image.yaml:4:7: from: expected scratch, found "docker.io/library/alpine:3.20"; bases other than scratch are not supported by this version"#
      ]),
    ComplaintCase(
      "nothing where a map belongs",
      after: #"""
        inputs:
        layers:
        """#,
      [
        #"image.yaml:4:8: inputs: expected a map, found nothing"#,
        #"image.yaml:5:8: layers: expected a list, found nothing"#,
      ]),
    ComplaintCase(
      "a list as key",
      after: #"""
        annotations: { [a]: b }
        """#,
      [
        #"image.yaml:4:16: key of annotations: expected text, found a list"#
      ]),
    ComplaintCase(
      "a second document",
      after: #"""
        ---
        x: 1
        """#,
      [
        #"image.yaml:4:1: a second document: expected one"#
      ]),
  ]
}
