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

  /// Brings the root that a reference means, with all manifests and configs below it.
  package func documents(of reference: Reference) async throws -> Descriptor {
    try await documents(below: try await client.manifest(of: reference))
  }

  /// The same for a root that is here already.
  package func documents(
    below root: (bytes: [UInt8], descriptor: Descriptor)
  ) async throws -> Descriptor {
    try layout.store.put(root.bytes)
    try await children(of: root.descriptor, depth: 0)
    return root.descriptor
  }

  private func children(of document: Descriptor, depth: Int) async throws {
    if document.mediaType.isIndex {
      guard depth < ImageLayout.maximumIndexDepth else {
        throw LayoutError.nestedTooDeep(document.digest, limit: ImageLayout.maximumIndexDepth)
      }
      let entries = try layout.imageIndex(document).body.manifests
      guard entries.count <= ImageLayout.maximumIndexEntries else {
        throw LayoutError.tooManyEntries(document.digest, limit: ImageLayout.maximumIndexEntries)
      }
      _ = try await concurrently(entries, limit: Self.concurrencyLimit) { entry in
        guard entry.mediaType.isIndex || entry.mediaType.isManifest else {
          reporter.warn("\(entry.digest): \(entry.mediaType.rawValue.quoted) is no image; left out")
          return
        }
        if try !layout.store.contains(entry) {
          try layout.store.put(try await client.manifest(entry).bytes)
        }
        try await children(of: entry, depth: depth + 1)
      }
    } else {
      let config = try layout.manifest(document).body.config
      if try !layout.store.contains(config) {
        try layout.store.put(try await client.document(config))
      }
    }
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
