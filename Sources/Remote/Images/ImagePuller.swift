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
    try await documents(below: client.manifest(of: reference))
  }

  /// The same for a root that was fetched already.
  package func documents(
    below root: (bytes: [UInt8], descriptor: Descriptor)
  ) async throws -> Descriptor {
    try layout.store.put(root.bytes)
    try await documents(below: root.descriptor)
    return root.descriptor
  }

  /// Level by level, with one limit for all: indexes that name the same index again and again, which does so too,
  /// are few bytes and endless work.
  private func documents(below root: Descriptor) async throws {
    var level = [root], depth = 0, count = 0
    while !level.isEmpty {
      let indexes = level.filter(\.mediaType.isIndex)
      guard depth < ImageLayout.maximumIndexDepth || indexes.isEmpty else {
        throw LayoutError.nestedTooDeep(root.digest, limit: ImageLayout.maximumIndexDepth)
      }
      _ = try await concurrently(level, limit: Self.concurrencyLimit) { try await bring($0) }
      var next: [Descriptor] = []
      for index in indexes {
        next += try layout.imageIndex(index).body.manifests
        guard count + next.count <= ImageLayout.maximumIndexEntries else {
          throw LayoutError.tooManyEntries(root.digest, limit: ImageLayout.maximumIndexEntries)
        }
      }
      count += next.count
      level = next.filter { entry in
        if entry.mediaType.isIndex || entry.mediaType.isManifest { return true }
        reporter.warn("\(entry.digest): \(entry.mediaType.rawValue.quoted) is no image; left out")
        return false
      }
      depth += 1
    }
  }

  private func bring(_ document: Descriptor) async throws {
    if try !layout.store.contains(document) {
      try layout.store.put(try await client.manifest(document).bytes)
    }
    guard document.mediaType.isManifest else { return }
    let config = try layout.manifest(document).body.config
    if try !layout.store.contains(config) {
      try layout.store.put(try await client.document(config))
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
