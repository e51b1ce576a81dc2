import OCISpec

/// The index behind a fallback tag: what refers to one manifest, where the registry keeps no list of its own.
/// distribution-spec, "Referrers Tag Schema".
///
/// Members that others have written stay as they are.
struct ReferrersIndex: Sendable, Equatable {
  enum Change: Sendable, Hashable {
    case add(Descriptor)
    case remove(Digest)

    var digest: Digest {
      switch self {
      case .add(let descriptor): descriptor.digest
      case .remove(let digest): digest
      }
    }
  }

  /// Why what the tag leads to is left alone.
  enum Problem: Error { case notAnIndex, malformed }

  private(set) var entries: [JSON]
  private var document: JSONObject

  init() {
    entries = []
    document = JSONObject()
    document["schemaVersion"] = .integer(2)
    document["mediaType"] = .string(MediaType.imageIndex.rawValue)
  }

  init(_ body: [UInt8], contentType: String?) throws(Problem) {
    guard let members = (try? JSON(parsing: body))?.objectValue else { throw .malformed }
    let type = members["mediaType"]?.stringValue ?? contentType.flatMap(ManifestRules.specific)
    guard type == MediaType.imageIndex.rawValue else { throw .notAnIndex }
    switch members["manifests"] {
    case nil, .null: entries = []
    case .array(let values):
      guard values.count <= ManifestRules.manifestLimit,
        values.allSatisfy({ $0["digest"]?.stringValue != nil })
      else { throw .malformed }
      entries = values
    default: throw .malformed
    }
    document = members
  }

  /// The descriptors that can be read.
  var descriptors: [Descriptor] { entries.compactMap { try? Descriptor(json: $0) } }

  func applying(_ changes: some Sequence<Change>) -> ReferrersIndex {
    var index = self
    for change in changes where !index.reflects(change) {
      switch change {
      case .add(let descriptor): index.entries.append(descriptor.json)
      case .remove(let digest): index.entries.removeAll { $0.names(digest) }
      }
    }
    return index
  }

  func reflects(_ change: Change) -> Bool {
    let isListed = entries.contains { $0.names(change.digest) }
    return switch change {
    case .add: isListed
    case .remove: !isListed
    }
  }

  var bytes: [UInt8] {
    var document = document
    document["manifests"] = .array(entries)
    return CanonicalJSON.encode(.object(document))
  }
}

extension JSON {
  fileprivate func names(_ digest: Digest) -> Bool { self["digest"]?.stringValue == "\(digest)" }
}
