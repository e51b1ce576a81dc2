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
      "a base that is no reference",
      after: #"""
        from: Team/Base
        """#,
      [
        #"image.yaml:4:7: from: image reference: repository "Team/Base" has upper-case letters; write "team/base""#
      ]),
    ComplaintCase(
      "a base with a scheme",
      after: #"""
        from: https://registry.example/base
        """#,
      [
        #"image.yaml:4:7: from: an image reference that starts with "https://": a reference has no scheme; write what follows it"#
      ]),
    ComplaintCase(
      "a layout without a path",
      after: #"""
        from: oci:@sha256:11
        """#,
      [#"image.yaml:4:7: from: expected a path after "oci:", found "oci:@sha256:11""#]),
    ComplaintCase(
      "a layout with half a digest",
      after: #"""
        from: oci:out@sha256:11
        """#,
      [
        #"image.yaml:4:7: from: not a sha256 digest: expected 64 lower-case hexadecimal digits, got "11""#
      ]),
    ComplaintCase(
      "an archive without a path",
      after: #"""
        from: "docker-archive:"
        """#,
      [#"image.yaml:4:7: from: expected a path after "docker-archive:", found "docker-archive:""#]),
    ComplaintCase(
      "a base by platform",
      after: #"""
        from: { linux/amd64: a, linux/arm64: b }
        """#,
      [#"image.yaml:4:7: from: expected "scratch" or an image, found a map"#]),
    ComplaintCase(
      "a base of nothing",
      after: #"""
        from:
        """#,
      [#"image.yaml:4:6: from: expected "scratch" or an image, found nothing"#]),
    ComplaintCase(
      "a base whose parameter is unknown",
      after: #"""
        from: registry.example/base:${verison}
        """#,
      [
        #"image.yaml:4:7: from: expected a parameter in "${…}", found "verison"; there are "os", "arch", "variant""#
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
