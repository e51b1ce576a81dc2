import Reporting

/// The definition that `ociforge init` writes. It assembles as it stands, and its comments lead on.
package enum DefinitionTemplate {
  /// - Parameter name: the image's name, by preference the folder's; what a name cannot hold becomes `-`.
  package static func text(name: String) -> String {
    """
    # One file describes one image. docs/definition.md has every key; `ociforge schema` prints the JSON Schema
    # that editors use to help.
    formatVersion: 1
    name: \(imageName(from: name))
    platforms: [\(platform)]          # several make an index: [linux/amd64, linux/arm64]
    from: scratch                     # nothing but what is below

    # Values for ${version} and the like; --set version=1.2.4 overrides.
    # parameters:
    #   version: "1.2.3"

    # Files from elsewhere. Leave sha256 out once, and the digest to paste is printed.
    # inputs:
    #   tool:
    #     url: https://example.com/v${version}/tool_${version}_${os}_${arch}.tar.gz
    #     sha256:
    #       linux/amd64: "<64 hexadecimal digits>"
    #     member: tool                # the one file to take out of the archive

    layers:
      - name: files
        entries:
          - path: /etc/motd
            text: |
              assembled by ociforge, without a daemon
          - { path: /tmp, directory: true, mode: "1777" }
          # - { path: /usr/bin/tool, input: tool, mode: "0755" }
          # - { path: /srv, tree: ./public, exclude: ["*.map"] }

    config:
      user: "10001:10001"
      workingDir: /tmp
      # entrypoint: [/usr/bin/tool]   # comes with the input above; scratch itself holds no program
      # exposedPorts: [8080]
      # env: { LANG: C.UTF-8 }

    """
  }

  /// The machine that runs this, as most images are tried where they are made.
  private static var platform: String {
    #if arch(arm64)
      "linux/arm64"
    #else
      "linux/amd64"
    #endif
  }

  private static func imageName(from text: String) -> String {
    let plain = text.lowercased().utf8.map { byte in
      byte.isDigit || byte.isLowerCaseLetter || "._-".utf8.contains(byte)
        ? byte : UInt8(ascii: "-")
    }
    let name = String(decoding: plain.drop { !$0.isDigit && !$0.isLowerCaseLetter }, as: UTF8.self)
    return ImageName.isValid(name) && PlainScalar(name) == .text ? name : "image"
  }
}
