import Reporting

extension Reference {
  /// Parses `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`. Without a host it is an image on Docker Hub; without tag and
  /// digest it has the tag `latest`.
  package init(parsing text: String) throws(ReferenceError) {
    let parts = try ReferenceText(text)
    self.init(repository: try parts.repository(), tag: try parts.tag(), digest: try parts.digest())
    if tag == nil && digest == nil { tag = Self.latest }
  }
}

extension Repository {
  /// Parses `[HOST[:PORT]/]PATH`.
  package init(parsing text: String) throws(ReferenceError) {
    let parts = try ReferenceText(text)
    guard parts.tagText == nil && parts.digestText == nil else {
      throw parts.malformed(.repository)
    }
    self = try parts.repository()
  }
}

extension Registry {
  /// Parses `HOST[:PORT]` or `[ADDRESS][:PORT]`.
  package init(parsing text: String) throws(ReferenceError) {
    try self.init(host: text[...], shown: ReferenceText.checked(text))
  }

  /// - Parameter shown: the whole text for an error.
  fileprivate init(host text: Substring, shown: String) throws(ReferenceError) {
    let host: Substring, port: Substring?
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else { throw .format(shown, .address) }
      host = text[text.index(after: text.startIndex)..<close]
      let rest = text[text.index(after: close)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { throw .format(shown, .address) }
      port = rest.isEmpty ? nil : rest.dropFirst()
      guard !host.isEmpty, host.allSatisfy({ $0.isHexDigit || $0 == ":" }) else {
        throw .format(shown, .address)
      }
      guard IPv6Text.groups(of: String(host)) != nil else { throw .invalidIPv6(String(host)) }
    } else {
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count <= 2, let name = parts.first else { throw .format(shown, .address) }
      host = name
      port = parts.count == 2 ? parts[1] : nil
      let labels = host.split(separator: ".", omittingEmptySubsequences: false)
      guard labels.allSatisfy(Self.isLabel) else {
        throw host.contains("_") ? .invalidHost(String(host)) : .format(shown, .host)
      }
    }
    var number: Int?
    if let port {
      guard !port.isEmpty, port.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
        throw .format(shown, .port)
      }
      guard let value = Int(port), (1...65535).contains(value) else {
        throw .portRange(String(port))
      }
      number = value
    }
    self.init(host: String(host), port: number)
  }

  private static func isLabel(_ text: Substring) -> Bool {
    !text.isEmpty && !text.hasPrefix("-") && !text.hasSuffix("-")
      && text.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D: true
        default: false
        }
      }
  }
}

/// A reference cut where its parts meet, before they are looked at.
private struct ReferenceText {
  /// The whole text for an error.
  let shown: String
  let name: Substring
  let tagText: Substring?
  let digestText: Substring?

  init(_ text: String) throws(ReferenceError) {
    shown = try Self.checked(text)
    if (try? Digest(parsing: text)) != nil { throw .bareDigest(text) }
    if text.utf8.count == 64, text.utf8.allSatisfy(Self.isLowerHex) { throw .bareIdentifier(text) }

    let at = text.firstIndex(of: "@")
    let place = text[..<(at ?? text.endIndex)]
    digestText = at.map { text[text.index(after: $0)...] }
    // A colon before a slash is a port's; one in brackets is an address's.
    let last = place.lastIndex { "/]".contains($0) }.map(place.index(after:)) ?? place.startIndex
    let colon = place[last...].firstIndex(of: ":")
    name = place[..<(colon ?? place.endIndex)]
    tagText = colon.map { place[place.index(after: $0)...] }
    guard !name.isEmpty else { throw malformed(.name) }
  }

  func malformed(_ part: ReferenceError.Part) -> ReferenceError { .format(shown, part) }

  func repository() throws(ReferenceError) -> Repository {
    guard let slash = name.firstIndex(of: "/") else {
      let registry = name.hasPrefix("[") ? try Registry(host: name, shown: shown) : nil
      if registry != nil || Registry(host: String(name)) == .dockerHub
        || name.lowercased() == "localhost"
      {
        // What looks like a tag is a port, where it can be one.
        let port = tagText.flatMap { UInt16($0) }.map { ":\($0)" } ?? ""
        throw .missingRepository(name + port)
      }
      return try Repository(registry: .dockerHub, path: path("library/\(name)"))
    }
    let first = name[..<slash]
    guard first.contains(where: { ".:[".contains($0) }) || first.lowercased() == "localhost" else {
      return try Repository(registry: .dockerHub, path: path(String(name)))
    }
    let registry = try Registry(host: first, shown: shown)
    let rest = String(name[name.index(after: slash)...])
    let isShort = registry == .dockerHub && !rest.contains("/") && !rest.isEmpty
    return try Repository(registry: registry, path: path(isShort ? "library/\(rest)" : rest))
  }

  func tag() throws(ReferenceError) -> String? {
    guard let tagText else { return nil }
    let tag = String(tagText)
    guard Reference.isTag(tag) else { throw malformed(.tag) }
    return tag
  }

  func digest() throws(ReferenceError) -> Digest? {
    guard let digestText else { return nil }
    let parts = digestText.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    let isAlgorithm = parts[0].split(omittingEmptySubsequences: false) { ".+_-".contains($0) }
      .allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(Repository.isLowerOrDigit) }
    guard parts.count == 2, isAlgorithm, !parts[1].isEmpty else { throw malformed(.digest) }
    guard let algorithm = Digest.Algorithm(rawValue: parts[0]) else {
      throw .digestUnsupported(algorithm: parts[0])
    }
    let hex = parts[1]
    guard hex.allSatisfy(\.isHexDigit) else { throw malformed(.digest) }
    guard hex.utf8.count == algorithm.hexLength else {
      throw .digestLength(algorithm, found: hex.utf8.count)
    }
    do { return try Digest(algorithm, hex: hex) } catch { throw .digestCase(algorithm) }
  }

  private func path(_ text: String) throws(ReferenceError) -> String {
    guard Repository.isPath(text) else {
      if Repository.isPath(text.lowercased()) { throw .uppercase(text) }
      throw malformed(.path)
    }
    guard text.utf8.count <= Repository.maximumLength else {
      throw .nameTooLong(text, count: text.utf8.count)
    }
    return text
  }

  private static func isLowerHex(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
  }
}

extension ReferenceText {
  /// Refuses what is no reference whatever its parts are, and gives what errors may show of the text.
  static func checked(_ text: String) throws(ReferenceError) -> String {
    guard !text.isEmpty else { throw .empty }
    if let slashes = text.firstRange(of: "://") {
      let scheme = text[..<slashes.lowerBound]
      if scheme.first?.isLetter == true, scheme.utf8.allSatisfy(isSchemeByte) {
        throw .scheme(String(scheme))
      }
    }
    // What stands before any other "@" may be a password.
    if let at = text.firstIndex(of: "@") {
      let tail = text[text.index(after: at)...]
      let isDigest = ["sha256:", "sha384:", "sha512:", "blake3:", "md5:"].contains {
        tail.hasPrefix($0)
      }
      guard isDigest, !tail.contains(where: { "@/".contains($0) }) else {
        throw .format("…", .userInformation)
      }
    }
    guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "?") }) else {
      throw .format(String(text.prefix { $0 != "?" }), .character)
    }
    return text
  }

  private static func isSchemeByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2D, 0x2E: true
    default: false
    }
  }
}
