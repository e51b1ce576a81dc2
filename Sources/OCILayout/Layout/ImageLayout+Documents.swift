package import OCISpec
import Reporting
import SystemPackage

/// The documents of a layout, each checked against its descriptor before anything believes it.
extension ImageLayout {
  package static let maximumIndexDepth = 8
  package static let maximumIndexEntries = 10_000

  package func manifest(_ descriptor: Descriptor) throws -> Document<Manifest> {
    guard descriptor.mediaType.isManifest else {
      throw LayoutError.unexpectedMediaType(
        descriptor.digest, descriptor.mediaType, expected: "an image manifest")
    }
    return try document(descriptor) { json throws(DocumentError) in try Manifest(json: json) }
  }

  package func imageIndex(_ descriptor: Descriptor) throws -> Document<ImageIndex> {
    guard descriptor.mediaType.isIndex else {
      throw LayoutError.unexpectedMediaType(
        descriptor.digest, descriptor.mediaType, expected: "an image index")
    }
    return try document(descriptor) { json throws(DocumentError) in try ImageIndex(json: json) }
  }

  package func config(_ descriptor: Descriptor) throws -> Document<ImageConfig> {
    guard descriptor.mediaType.isConfig else {
      throw LayoutError.unexpectedMediaType(
        descriptor.digest, descriptor.mediaType, expected: "an image config")
    }
    return try document(descriptor) { json throws(DocumentError) in try ImageConfig(json: json) }
  }

  /// A document of any kind, decoded by `decode`.
  package func document<Body>(
    _ descriptor: Descriptor, decode: (JSON) throws(DocumentError) -> Body
  ) throws -> Document<Body> {
    let bytes = try store.document(descriptor.digest)
    guard Int64(bytes.count) == descriptor.size else {
      throw LayoutError.sizeMismatch(
        descriptor.digest, expected: descriptor.size, found: Int64(bytes.count))
    }
    do {
      let body = try decode(JSON(parsing: bytes))
      return Document(bytes: bytes, descriptor: descriptor, body: body)
    } catch {
      throw LayoutError.malformedDocument("\(descriptor.digest)", error)
    }
  }

  /// Everything that a root leads to, in the order of the indexes.
  package struct Contents: Sendable {
    /// The images, of all platforms.
    package var images: [Document<Manifest>] = []
    /// Manifests that say something about an image, which BuildKit lists as platform `unknown/unknown`.
    package var attestations: [Document<Manifest>] = []
    /// Entries that are neither manifests nor indexes; the image-spec lets indexes have them.
    package var others: [Descriptor] = []
  }

  /// Reads every manifest below `root`, an index or a manifest, through nested indexes.
  package func contents(of root: Descriptor) throws -> Contents {
    guard root.mediaType.isIndex || root.mediaType.isManifest else {
      throw LayoutError.unexpectedMediaType(
        root.digest, root.mediaType, expected: "an image manifest or an image index")
    }
    var contents = Contents()
    let entries = root.mediaType.isIndex ? try descendants(of: root) : [root]
    for entry in entries where !entry.mediaType.isIndex {
      if !entry.mediaType.isManifest {
        contents.others.append(entry)
      } else if entry.isAttestation {
        contents.attestations.append(try manifest(entry))
      } else {
        contents.images.append(try manifest(entry))
      }
    }
    return contents
  }

  /// Takes over everything that a root leads to from another layout, hashed on the way. Nothing is tagged.
  package func adopt(_ root: Descriptor, from other: ImageLayout) throws {
    for blob in try BlobGraph(layout: other).complete(from: root) {
      try store.adopt(blob, from: other.store)
    }
  }

  /// All descriptors below an index, each before what it holds.
  func descendants(of root: Descriptor) throws -> [Descriptor] {
    var found: [Descriptor] = []
    func walk(_ index: Descriptor, depth: Int) throws {
      guard depth < Self.maximumIndexDepth else {
        throw LayoutError.nestedTooDeep(root.digest, limit: Self.maximumIndexDepth)
      }
      for entry in try imageIndex(index).body.manifests {
        guard found.count < Self.maximumIndexEntries else {
          throw LayoutError.tooManyEntries(root.digest, limit: Self.maximumIndexEntries)
        }
        found.append(entry)
        if entry.mediaType.isIndex { try walk(entry, depth: depth + 1) }
      }
    }
    try walk(root, depth: 0)
    return found
  }
}

extension Descriptor {
  /// Whether this is BuildKit's entry for a statement about an image, no image itself:
  /// https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md
  package var isAttestation: Bool {
    annotations["vnd.docker.reference.type"] == "attestation-manifest"
      || platform?.os == "unknown" && platform?.architecture == "unknown"
  }
}
