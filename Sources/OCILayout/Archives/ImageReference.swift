import Bindings
package import OCISpec
package import Reporting
package import SystemPackage

/// Where an image is, as the command line and definitions say it:
/// `oci:DIR[:TAG][@DIGEST]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:NAME]`; anything else names an
/// image in a registry.
package enum ImageReference: Sendable, Equatable {
  case layout(FilePath, tag: String?, digest: Digest?)
  case ociArchive(FilePath, tag: String?)
  case dockerArchive(FilePath, name: String?)
  case registry(String)

  /// Parses a reference. Paths may hold colons: what is there under the longer path wins, else the text after
  /// the last colon is a tag where it can be one.
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
      let registry = text.dropping(prefix: "docker://") ?? text
      guard !registry.isEmpty else { throw ImageReferenceError.empty }
      for other in ["docker-daemon:", "containers-storage:", "dir:./", "dir:/", "ocidir:"]
      where text.hasPrefix(other) {
        throw ImageReferenceError.unknownTransport(text)
      }
      self = .registry(registry)
    }
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
    return ImageLayout.isTag(tail) ? (String(place[..<colon]), tail) : (place, nil)
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
  package var description: String {
    switch self {
    case .layout(let path, let tag, let digest):
      "oci:\(path)" + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
    case .ociArchive(let path, let tag): "oci-archive:\(path)" + (tag.map { ":\($0)" } ?? "")
    case .dockerArchive(let path, let name):
      "docker-archive:\(path)" + (name.map { ":\($0)" } ?? "")
    case .registry(let text): text
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
  case noRegistries(String)

  package var kind: FailureKind {
    if case .didYouMean = self { .notFound } else { .usage }
  }

  package var description: String {
    switch self {
    case .empty: "an empty image reference: expected \(Self.forms)"
    case .noPath(let text): "image reference \(text.quoted): expected a path after the colon"
    case .malformedDigest(let text, let problem): "image reference \(text.quoted): \(problem)"
    case .unknownTransport(let text): "image reference \(text.quoted): expected \(Self.forms)"
    case .didYouMean(let text, let suggestions):
      "\(text.quoted) would be an image in a registry; did you mean \(suggestions.map(\.quoted).joined(separator: " or "))?"
    case .noRegistries(let text):
      "\(text.quoted) is an image in a registry, and this version has no registries yet; it reads oci:DIR[:TAG][@DIGEST], oci-archive:FILE[:TAG] and docker-archive:FILE[:NAME]"
    }
  }

  private static let forms =
    "a registry reference, oci:DIR[:TAG][@DIGEST], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME]"
}

extension String {
  fileprivate func dropping(prefix: String) -> String? {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
  }
}
