package import OCILayout
package import OCISpec

/// Everything that an image consists of, in the order in which a registry takes it: blobs, then documents, each
/// after all that it names.
package struct PushPlan: Sendable {
  /// Configs and layers, each digest once.
  package private(set) var blobs: [Descriptor] = []
  /// Manifests and indexes below the root, children first, each digest once. The root is not among them.
  package private(set) var documents: [Descriptor] = []
  package let root: Descriptor

  /// - Parameter layout: has all documents; blobs may be elsewhere.
  /// - Throws: ``LayoutError`` where a document is missing, damaged, or no manifest and no index.
  package init(_ root: Descriptor, in layout: ImageLayout) throws {
    self.root = root
    var seen: Set<Digest> = []
    try add(root, in: layout, depth: 0, &seen)
  }

  private mutating func add(
    _ document: Descriptor, in layout: ImageLayout, depth: Int, _ seen: inout Set<Digest>
  ) throws {
    guard seen.insert(document.digest).inserted else { return }
    guard depth <= ImageLayout.maximumIndexDepth else {
      throw LayoutError.nestedTooDeep(root.digest, limit: ImageLayout.maximumIndexDepth)
    }
    if document.mediaType.isIndex {
      for entry in try layout.imageIndex(document).body.manifests {
        guard seen.count < ImageLayout.maximumIndexEntries else {
          throw LayoutError.tooManyEntries(root.digest, limit: ImageLayout.maximumIndexEntries)
        }
        if entry.mediaType.isIndex || entry.mediaType.isManifest {
          try add(entry, in: layout, depth: depth + 1, &seen)
        } else if try layout.store.contains(entry), seen.insert(entry.digest).inserted {
          // BuildKit's caches have layers there. What is not here was left out when the index was pulled.
          blobs.append(entry)
        }
      }
    } else {
      let manifest = try layout.manifest(document).body
      for blob in [manifest.config] + manifest.layers where seen.insert(blob.digest).inserted {
        blobs.append(blob)
      }
    }
    if document.digest != root.digest { documents.append(document) }
  }
}
