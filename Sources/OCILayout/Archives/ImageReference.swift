import Bindings
package import OCISpec
package import Reporting
package import SystemPackage

/// Where an image is, as the command line and definitions say it:
/// `oci:DIR[:TAG][@DIGEST]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]`; anything else, also after
/// `docker://`, names an image in a registry.
package enum ImageReference: Sendable, Equatable {
  case layout(FilePath, tag: String?, digest: Digest?)
  case ociArchive(FilePath, tag: String?)
  case dockerArchive(FilePath, name: String?)
  case registry(Reference)

  /// Parses a reference. Paths may hold colons: what is there under the longer path wins, else the text after
  /// the last colon is a tag where it can be one.
  ///
  /// - Throws: ``ImageReferenceError/didYouMean(_:suggestions:)`` for a bare text under which a layout or a
  ///   file lies here, be it a legal reference or not; ``ReferenceError`` where it is none.
  package init(parsing text: String) throws {
    if let rest = text.dropping(prefix: "oci:") {
      let (place, digest) = try Self.splitDigest(rest, of: text)
      let (path, tag) = try Self.splitTag(place)
      guard !path.isEmpty else { throw ImageReferenceError.noPath(text) }
      self = .layout(FilePath(path), tag: tag, digest: digest)
    } else if let rest = text.dropping(prefix: "oci-archive:") {
      let (path, tag) = try Self.splitTag(rest)
      guard !path.isEmpty else { throw ImageReferenceError.noPath(text) }
      self = .ociArchive(FilePath(path), tag: tag)
    } else if let rest = text.dropping(prefix: "docker-archive:") {
      let (path, name) = try Self.splitName(rest)
      guard !path.isEmpty else { throw ImageReferenceError.noPath(text) }
      self = .dockerArchive(FilePath(path), name: name)
    } else {
      guard !text.isEmpty else { throw ImageReferenceError.empty }
      guard !Self.otherTransports.contains(where: text.hasPrefix) else {
        throw ImageReferenceError.unknownTransport(text)
      }
      let name = text.dropping(prefix: "docker://")
      let meanings = name == nil ? Self.localMeanings(of: text) : []
      guard meanings.isEmpty else {
        throw ImageReferenceError.didYouMean(text, suggestions: meanings)
      }
      self = .registry(try Reference(parsing: name ?? text))
    }
  }

  private static let otherTransports = [
    "docker-daemon:", "containers-storage:", "dir:./", "dir:/", "ocidir:",
  ]

  /// Whether the text says no transport, so that it is a registry's reference or a path.
  package static func isBare(_ text: String) -> Bool {
    !(["oci:", "oci-archive:", "docker-archive:", "docker://"] + otherTransports)
      .contains(where: text.hasPrefix)
  }

  /// What somebody meant who wrote a path where a registry reference stands.
  private static func localMeanings(of text: String) -> [String] {
    for path in [text, String(text.prefix(upTo: text.lastIndex(of: ":") ?? text.endIndex))]
    where !path.isEmpty {
      // A name that no file can have is none that was meant.
      switch try? FileSystem.status(of: FilePath(path))?.kind {
      case .directory where (try? ImageLayout.open(FilePath(path))) != nil: return ["oci:\(text)"]
      case .file: return ["oci-archive:\(text)", "docker-archive:\(text)"]
      default: continue
      }
    }
    return []
  }

  private static func splitDigest(
    _ place: String, of text: String
  ) throws -> (place: String, digest: Digest?) {
    guard let at = place.lastIndex(of: "@") else { return (place, nil) }
    let tail = String(place[place.index(after: at)...])
    guard Digest.Algorithm.allCases.contains(where: { tail.hasPrefix("\($0.rawValue):") }) else {
      return (place, nil)
    }
    do { return (String(place[..<at]), try Digest(parsing: tail)) } catch {
      throw ImageReferenceError.malformedDigest(text, error)
    }
  }

  private static func splitTag(_ place: String) throws -> (path: String, tag: String?) {
    guard try !exists(place), let colon = place.lastIndex(of: ":") else { return (place, nil) }
    let tail = String(place[place.index(after: colon)...])
    return Reference.isTag(tail) ? (String(place[..<colon]), tail) : (place, nil)
  }

  /// Names hold colons themselves, so the longest file that exists decides; else the first colon.
  private static func splitName(_ place: String) throws -> (path: String, name: String?) {
    if try exists(place) { return (place, nil) }
    let colons = place.indices.filter { place[$0] == ":" }
    guard let first = colons.first else { return (place, nil) }
    let colon = try colons.last { try exists(String(place[..<$0])) } ?? first
    let name = String(place[place.index(after: colon)...])
    return (String(place[..<colon]), name.isEmpty ? nil : name)
  }

  private static func exists(_ path: String) throws -> Bool {
    try !path.isEmpty && FileSystem.status(of: FilePath(path)) != nil
  }
}

extension ImageReference: CustomStringConvertible {
  /// What a reference may look like, for help and errors.
  package static let forms =
    "HOST/PATH[:TAG][@DIGEST], oci:DIR[:TAG][@DIGEST], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME]"

  package var description: String {
    switch self {
    case .layout(let path, let tag, let digest):
      "oci:\(path)" + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
    case .ociArchive(let path, let tag): "oci-archive:\(path)" + (tag.map { ":\($0)" } ?? "")
    case .dockerArchive(let path, let name):
      "docker-archive:\(path)" + (name.map { ":\($0)" } ?? "")
    case .registry(let reference): "\(reference)"
    }
  }
}

/// Why a text does not say where an image is.
package enum ImageReferenceError: Failure, Equatable {
  case empty
  case noPath(String)
  case malformedDigest(String, DigestError)
  case unknownTransport(String)
  case didYouMean(String, suggestions: [String])

  package var kind: FailureKind {
    if case .didYouMean = self { .notFound } else { .usage }
  }

  package var description: String {
    switch self {
    case .empty: "an empty image reference: expected \(ImageReference.forms)"
    case .noPath(let text): "image reference \(text.quoted): expected a path after the colon"
    case .malformedDigest(let text, let problem): "image reference \(text.quoted): \(problem)"
    case .unknownTransport(let text):
      "image reference \(text.quoted): expected \(ImageReference.forms)"
    case .didYouMean(let text, let suggestions):
      "\(text.quoted) would be an image in a registry; did you mean \(suggestions.map(\.quoted).joined(separator: " or "))?"
    }
  }
}

extension String {
  fileprivate func dropping(prefix: String) -> String? {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
  }
}
