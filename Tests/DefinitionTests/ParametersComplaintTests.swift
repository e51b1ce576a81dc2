import Definition
import Testing

@Suite("Complaints about parameters")
struct ParametersComplaintTests {
  @Test("every mistake is named with its place, once", arguments: cases)
  func complaints(_ example: ComplaintCase) { example.check() }

  static let cases: [ComplaintCase] = [
    ComplaintCase(
      "a version without quotes",
      after: #"""
        parameters: { version: 1.10 }
        annotations: { a: "${version}" }
        """#,
      [
        #"image.yaml:4:24: parameters.version: expected text, found the number 1.10; quote it: "1.10""#
      ]),
    ComplaintCase(
      "null, a boolean, a list and a map as text",
      after: #"""
        parameters:
          a: null
          b: yes
          c: true
          d: []
          e: {}
          f:
        """#,
      [
        #"image.yaml:5:6: parameters.a: expected text, found null"#,
        #"image.yaml:7:6: parameters.c: expected text, found the boolean true; quote it: "true""#,
        #"image.yaml:8:6: parameters.d: expected text, found a list"#,
        #"image.yaml:9:6: parameters.e: expected text, found a map"#,
        #"image.yaml:10:5: parameters.f: expected text, found nothing"#,
      ]),
    ComplaintCase(
      "reserved and malformed names",
      after: #"""
        parameters: { os: a, 1x: b }
        """#,
      [
        #"image.yaml:4:15: parameters.os: expected a name of its own, found one that stands for the platform"#,
        #"image.yaml:4:22: parameters.1x: expected a name of letters, digits, ".", "_" and "-" that starts with a letter or "_""#,
      ]),
    ComplaintCase(
      "an unknown name with a near one",
      after: #"""
        parameters: { version: "1" }
        layers:
          - name: ${verison}
            entries: []
        """#,
      [
        #"image.yaml:6:11: name: expected a parameter in "${…}", found "verison"; did you mean "version"?"#
      ]),
    ComplaintCase(
      "an unknown name with none near",
      after: #"""
        config: { author: "${who}" }
        """#,
      [
        #"image.yaml:4:19: author: expected a parameter in "${…}", found "who"; there are "os", "arch", "variant""#
      ]),
    ComplaintCase(
      "a brace that is not closed",
      after: #"""
        config: { author: "${who" }
        """#,
      [
        #"image.yaml:4:19: author: expected "}" after "${", found none; for a plain "${" write "$${""#
      ]),
    ComplaintCase(
      "a platform's name in annotations",
      after: #"""
        annotations: { arch: "${arch}" }
        """#,
      [
        #"image.yaml:4:22: annotations.arch: expected a text that all platforms share, found ${arch}, which differs between them"#
      ]),
    ComplaintCase(
      "two problems in one value",
      after: #"""
        config: { author: "${who} ${what}" }
        """#,
      [
        #"image.yaml:4:19: author: expected a parameter in "${…}", found "who"; there are "os", "arch", "variant""#,
        #"image.yaml:4:19: author: expected a parameter in "${…}", found "what"; there are "os", "arch", "variant""#,
      ]),
    ComplaintCase(
      "${name} in a key stays",
      after: #"""
        parameters: { a: b }
        config: { "${a}": x }
        """#,
      [
        #"image.yaml:5:11: config: expected a known key, found "${a}"; there are "author", "user", "exposedPorts", "env", "entrypoint", "cmd", "volumes", "workingDir", "labels", "stopSignal", "healthcheck", "shell", "onBuild""#
      ]),
  ]
}
