import Reporting

/// The rules of descriptor.md, of annotations.md, and of a platform.
extension ValidationChecks {
  mutating func descriptor(_ node: Located) {
    let file = "descriptor.md"
    if let type = member("mediaType", of: node, .string, .required, "\(file): mediaType") {
      mediaTypeGrammar(type, "\(file): mediaType")
    }
    if let digest = member("digest", of: node, .string, .required, "\(file): digest") {
      digestGrammar(digest, "\(file): digests")
    }
    if let size = member("size", of: node, .integer, .required, "\(file): size"),
      let count = size.value.integerValue
    {
      if count < 0 { report(size, "\(file): size", expected: "a size of at least 0") }
      embeddedData(of: node, size: count)
    }
    for url in elements("urls", of: node, .string, .optional, "\(file): urls") {
      let text = url.value.stringValue ?? ""
      if !text.hasPrefix("https://") && !text.hasPrefix("http://") {
        report(as: .should, url, "\(file): urls", expected: "a URL of http or https")
      }
    }
    artifactType(of: node, "\(file): artifactType")
    annotations(of: node, "\(file): annotations")
    if let platform = member("platform", of: node, .object, .optional, "image-index.md: platform") {
      self.platform(platform, "image-index.md: platform")
    }
  }

  mutating func artifactType(of node: Located, _ rule: String) {
    guard let type = member("artifactType", of: node, .string, .optional, rule) else { return }
    mediaTypeGrammar(type, rule)
  }

  /// `os`, `architecture` and what goes with them, in a descriptor's platform or at a config's top.
  mutating func platform(_ node: Located, _ rule: String) {
    let isAttestation =
      node.member("os")?.value == "unknown" && node.member("architecture")?.value == "unknown"
    for (key, known) in [("os", knownSystems), ("architecture", knownArchitectures)] {
      guard let value = member(key, of: node, .string, .required, rule) else { continue }
      // BuildKit gives its attestations the platform unknown/unknown, so that nobody runs them.
      if !known.contains(value.value.stringValue ?? "") && !isAttestation {
        report(as: .should, value, rule, expected: key == "os" ? "a GOOS of Go" : "a GOARCH of Go")
      }
    }
    for key in ["variant", "os.version"] { _ = member(key, of: node, .string, .optional, rule) }
    _ = elements("os.features", of: node, .string, .optional, rule)
  }

  mutating func annotations(of node: Located, _ rule: String) {
    guard let map = member("annotations", of: node, .object, .optional, rule) else { return }
    annotationRules(map, rule)
  }

  /// The rules of annotations.md, which labels follow too.
  mutating func annotationRules(_ map: Located, _ rule: String) {
    for (key, value) in zip(map.value.objectValue?.keys ?? [], map.children) {
      guard has(value, .string, "annotations.md: rules") else { continue }
      if key.isEmpty {
        report(at: value.pointer, "annotations.md: rules", expected: "a key", found: "an empty one")
      }
      let isReserved = key.hasPrefix("org.opencontainers.image.")
      if isReserved && !knownAnnotations.contains(String(key.dropFirst(25))) {
        report(
          as: .should, at: value.pointer, "annotations.md: rules",
          expected: "no key in the reserved \"org.opencontainers.image.\" but the predefined ones",
          found: key.quoted)
      }
    }
    timestamp("org.opencontainers.image.created", of: map, "annotations.md: created")
    if let digest = map.member(AnnotationKey.baseDigest), digest.value.stringValue != nil {
      digestGrammar(digest, "annotations.md: base.digest")
    }
  }

  mutating func digestGrammar(_ node: Located, _ rule: String) {
    guard let text = node.value.stringValue, (try? Digest(parsing: text)) == nil else { return }
    let parts = text.utf8.split(
      separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
    let isGrammatical =
      parts.count == 2
      && parts[0].split(omittingEmptySubsequences: false, whereSeparator: "+._-".utf8.contains)
        .allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isASCIILowercaseOrDigit) }
      && !parts[1].isEmpty
      && parts[1].allSatisfy { $0.isASCIILetterOrDigit || "=_-".utf8.contains($0) }
    let isRegistered = Digest.Algorithm.allCases.contains { text.hasPrefix("\($0.rawValue):") }
    let expected = "a digest such as \"sha256:\" and 64 lower-case hexadecimal digits"
    // "Implementations SHOULD allow digests with unrecognized algorithms to pass validation".
    let isForeign = isGrammatical && !isRegistered
    report(
      as: isForeign ? .should : .must, node, rule,
      expected: isForeign ? "an algorithm that can be verified, sha256 or sha512" : expected)
  }

  private mutating func mediaTypeGrammar(_ node: Located, _ rule: String) {
    let parts = (node.value.stringValue ?? "").utf8.split(
      separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let isGrammatical =
      parts.count == 2
      && parts.allSatisfy { part in
        part.count <= 127 && part.first?.isASCIILetterOrDigit == true
          && part.allSatisfy { $0.isASCIILetterOrDigit || "!#$&^_.+-".utf8.contains($0) }
      }
    if !isGrammatical { report(node, rule, expected: "a media type of RFC 6838, section 4.2") }
  }

  private mutating func embeddedData(of node: Located, size: Int64) {
    guard let data = member("data", of: node, .string, .optional, "descriptor.md: data") else {
      return
    }
    guard let bytes = decodedBase64(data.value.stringValue ?? "") else {
      report(
        at: data.pointer, "descriptor.md: data", expected: "base64 of RFC 4648, section 4",
        found: "other text")
      return
    }
    if Int64(bytes.count) != size {
      report(
        at: data.pointer, "descriptor.md: data", expected: "the content's \(size) bytes",
        found: "\(bytes.count)")
    }
  }
}

/// The bytes of base64 with padding (RFC 4648, section 4), or `nil`.
package func decodedBase64(_ text: String) -> [UInt8]? {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  let digits = text.utf8.reversed().drop { $0 == UInt8(ascii: "=") }.reversed()
  let padding = text.utf8.count - digits.count
  guard text.utf8.count.isMultiple(of: 4), padding <= 2 else { return nil }
  var out: [UInt8] = []
  var buffer: UInt32 = 0, bitCount = 0
  for digit in digits {
    guard let value = alphabet.firstIndex(of: digit) else { return nil }
    buffer = buffer << 6 | UInt32(value)
    bitCount += 6
    if bitCount >= 8 {
      bitCount -= 8
      out.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bitCount)))
    }
  }
  return out
}

extension UInt8 {
  var isASCIILowercaseOrDigit: Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self)
  }

  var isASCIILetterOrDigit: Bool { (self | 0x20).isASCIILowercaseOrDigit && self >= 0x30 }
}

/// `go tool dist list` of Go 1.24, and what it listed before.
private let knownSystems: Set<String> = [
  "aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux",
  "nacl", "netbsd", "openbsd", "plan9", "solaris", "wasip1", "windows", "zos",
]

private let knownArchitectures: Set<String> = [
  "386", "amd64", "amd64p32", "arm", "arm64", "arm64be", "armbe", "loong64", "mips", "mips64",
  "mips64le", "mips64p32", "mips64p32le", "mipsle", "ppc", "ppc64", "ppc64le", "riscv", "riscv64",
  "s390", "s390x", "sparc", "sparc64", "wasm",
]

/// annotations.md, and the ones that conversion.md gives a meaning; without `org.opencontainers.image.`.
private let knownAnnotations: Set<String> = [
  "created", "authors", "url", "documentation", "source", "version", "revision", "vendor",
  "licenses", "ref.name", "title", "description", "base.digest", "base.name", "os", "architecture",
  "variant", "os.version", "os.features", "author", "stopSignal", "exposedPorts",
]
