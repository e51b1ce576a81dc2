package import OCILayout
package import OCISpec
package import Reporting
import Workers

/// Pulls an image into a layout's blobs: documents first, as they say what else there is. Everything is verified
/// before it has its name; what is there already is not fetched again. Nothing is tagged.
package struct ImagePuller: Sendable {
  private let client: RepositoryClient
  private let layout: ImageLayout
  private let reporter: Reporter

  package init(from client: RepositoryClient, into layout: ImageLayout, reporter: Reporter) {
    self.client = client
    self.layout = layout
    self.reporter = reporter
  }

  /// Brings the root that a reference means, with all manifests and configs below it. However often an index names
  /// a document, it is brought once.
  package func documents(of reference: Reference) async throws -> Descriptor {
    let root = try await client.manifest(of: reference)
    try layout.store.put(root.bytes)
    var images: [Descriptor] = []
    if root.descriptor.mediaType.isIndex {
      var seen: Set = [root.descriptor.digest]
      try await collect(below: root.descriptor, depth: 0, &images, &seen)
    } else {
      images = [root.descriptor]
    }
    _ = try await concurrently(images, limit: Self.concurrencyLimit) { image in
      try await bring(image)
      let config = try layout.manifest(image).body.config
      if try !layout.store.contains(config) {
        try layout.store.put(try await client.document(config))
      }
    }
    return root.descriptor
  }

  /// Brings all indexes below one that is here, and finds the manifests that they name.
  private func collect(
    below index: Descriptor, depth: Int, _ images: inout [Descriptor], _ seen: inout Set<Digest>
  ) async throws {
    guard depth < ImageLayout.maximumIndexDepth else {
      throw LayoutError.nestedTooDeep(index.digest, limit: ImageLayout.maximumIndexDepth)
    }
    for entry in try layout.imageIndex(index).body.manifests
    where seen.insert(entry.digest).inserted {
      guard seen.count <= ImageLayout.maximumIndexEntries else {
        throw LayoutError.tooManyEntries(index.digest, limit: ImageLayout.maximumIndexEntries)
      }
      if entry.mediaType.isIndex {
        try await bring(entry)
        try await collect(below: entry, depth: depth + 1, &images, &seen)
      } else if entry.mediaType.isManifest {
        images.append(entry)
      } else {
        reporter.warn("\(entry.digest): \(entry.mediaType.rawValue.quoted) is no image; left out")
      }
    }
  }

  private func bring(_ document: Descriptor) async throws {
    guard try !layout.store.contains(document) else { return }
    try layout.store.put(try await client.manifest(document).bytes)
  }

  /// Brings the layers of everything below `root`, whose documents are here.
  package func layers(of root: Descriptor) async throws {
    let blobs = try PushPlan(root, in: layout).blobs
    _ = try await concurrently(blobs, limit: Self.concurrencyLimit) { blob in
      guard try !layout.store.contains(blob) else { return }
      if blob.isForeign, try await !client.hasBlob(blob) {
        reporter.warn(
          "\(blob.digest): a foreign layer that \(client.repository) does not have; left out")
        return
      }
      try await client.fetchBlob(
        blob, into: layout.store, as: "blob \(blob.digest.hex.prefix(12))", reporter: reporter)
    }
  }

  package static let concurrencyLimit = 4
}
