import OCISpec
import Reporting
import SystemPackage

/// Which blobs lead to which, read from the documents as JSON: what ociforge has no type for, such as
/// artifacts of other tools, counts too.
struct BlobGraph {
  let layout: ImageLayout

  /// Everything that the roots lead to, themselves included.
  ///
  /// A document that is not here leads nowhere: layouts may hold some platforms of an index only.
  /// - Throws: where a manifest or index that is here cannot be read.
  func reachable(from roots: [Descriptor]) throws -> Set<Digest> {
    var reached = Set<Digest>()
    var expanded = Set<Digest>()
    var open = roots.map {
      Link(
        digest: $0.digest, isDocument: true,
        isImageDocument: $0.mediaType.isIndex || $0.mediaType.isManifest)
    }
    while let link = open.popLast() {
      reached.insert(link.digest)
      guard link.isDocument, expanded.insert(link.digest).inserted else { continue }
      open += try links(from: link)
    }
    return reached
  }

  private struct Link {
    let digest: Digest
    /// Whether it may lead to others.
    let isDocument: Bool
    /// Whether it must be readable, as its media type is known.
    let isImageDocument: Bool
  }

  private func links(from link: Link) throws -> [Link] {
    guard let size = try layout.store.size(of: link.digest),
      link.isImageDocument || size <= BlobStore.maximumDocumentSize
    else { return [] }
    let bytes = try layout.store.document(link.digest)
    let document: JSON
    do { document = try JSON(parsing: bytes) } catch {
      guard link.isImageDocument else { return [] }
      throw LayoutError.malformedDocument("\(link.digest)", error)
    }
    var found: [Link] = []
    for key in ["config", "layers", "blobs", "manifests", "subject"] {
      guard let member = document[key] else { continue }
      for value in member.arrayValue ?? [member] {
        guard let text = value["digest"]?.stringValue, let digest = try? Digest(parsing: text)
        else { continue }
        let type = MediaType(rawValue: value["mediaType"]?.stringValue ?? "")
        let isImageDocument = type.isIndex || type.isManifest
        found.append(
          Link(
            digest: digest,
            isDocument: isImageDocument || key == "manifests" || key == "subject",
            isImageDocument: isImageDocument))
      }
    }
    return found
  }
}

extension BlobGraph {
  /// The descriptors of everything below and at `root`, by digest, all of it in the layout. Layers that are
  /// to be fetched from elsewhere (`urls`) may be absent, and are then left out.
  ///
  /// - Throws: ``LayoutError/missingBlob``, ``LayoutError/unsupportedAlgorithm``.
  func complete(from root: Descriptor) throws -> [Descriptor] {
    var found: [Digest: Descriptor] = [:]
    func add(_ descriptor: Descriptor, isOptional: Bool = false) throws {
      guard found[descriptor.digest] == nil else { return }
      guard descriptor.digest.algorithm == .sha256 else {
        throw LayoutError.unsupportedAlgorithm(descriptor.digest)
      }
      guard let size = try layout.store.size(of: descriptor.digest) else {
        if isOptional { return }
        throw LayoutError.missingBlob(descriptor.digest, layout: layout.path.string)
      }
      guard size == descriptor.size else {
        throw LayoutError.sizeMismatch(descriptor.digest, expected: descriptor.size, found: size)
      }
      found[descriptor.digest] = descriptor
    }
    let entries = root.mediaType.isIndex ? [root] + (try layout.descendants(of: root)) : [root]
    for entry in entries {
      try add(entry)
      guard entry.mediaType.isManifest else { continue }
      let manifest = try layout.manifest(entry).body
      try add(manifest.config)
      for layer in manifest.layers { try add(layer, isOptional: layer.unknown["urls"] != nil) }
    }
    return found.values.sorted { $0.digest < $1.digest }
  }
}
