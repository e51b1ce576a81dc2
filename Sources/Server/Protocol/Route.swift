import NIOHTTP1
import OCISpec

/// What a path names: distribution-spec, "Endpoints", and Docker's `_catalog`.
enum Route: Sendable, Equatable {
  /// `/v2/`
  case support
  case catalog
  case blob(RepositoryName, Digest)
  /// Where uploads begin.
  case uploads(RepositoryName)
  case upload(RepositoryName, session: String)
  case manifest(RepositoryName, ManifestReference)
  case tags(RepositoryName)
  case referrers(RepositoryName, Digest)

  /// Names may hold every word that the paths are made of (`blobs/uploads` is one), so a path is read from
  /// its end.
  init(path: String) throws(RegistryError) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 2, parts[0].isEmpty, parts[1] == "v2" else { throw .notFound(path) }
    let rest = parts.dropFirst(2)
    if rest.isEmpty || rest == [""] {
      self = .support
    } else if rest == ["_catalog"] {
      self = .catalog
    } else if rest.count >= 3, rest.suffix(2) == ["tags", "list"] {
      self = .tags(try Self.name(rest.dropLast(2)))
    } else if rest.count >= 3, rest.suffix(2) == ["blobs", "uploads"] {
      self = .uploads(try Self.name(rest.dropLast(2)))
    } else if rest.count >= 4, rest.dropLast().suffix(2) == ["blobs", "uploads"] {
      let name = try Self.name(rest.dropLast(3))
      let session = rest[rest.endIndex - 1]
      self = session.isEmpty ? .uploads(name) : .upload(name, session: session)
    } else if rest.count >= 3 {
      let name = rest.dropLast(2), last = rest[rest.endIndex - 1]
      switch rest[rest.endIndex - 2] {
      case "blobs": self = .blob(try Self.name(name), try Digest(requested: last))
      case "manifests": self = .manifest(try Self.name(name), try ManifestReference(last))
      case "referrers": self = .referrers(try Self.name(name), try Digest(requested: last))
      default: throw .notFound(path)
      }
    } else {
      throw .notFound(path)
    }
  }

  private static func name(_ parts: ArraySlice<String>) throws(RegistryError) -> RepositoryName {
    let text = parts.joined(separator: "/")
    guard let name = RepositoryName(text) else { throw .nameInvalid(text) }
    return name
  }

  /// The methods that have a meaning here.
  var methods: [HTTPMethod] {
    switch self {
    case .support, .catalog, .blob, .tags, .referrers: [.GET, .HEAD]
    case .uploads: [.POST]
    case .upload: [.GET, .HEAD, .PATCH, .PUT, .DELETE]
    case .manifest: [.GET, .HEAD, .PUT, .DELETE]
    }
  }
}

extension HTTPMethod {
  var isReading: Bool { self == .GET || self == .HEAD }
}
