import Bindings
package import OCILayout
package import OCISpec
package import Reporting
package import SystemPackage
import Workers

/// What a push did.
package struct PushReport: Sendable, Equatable {
  package var repository: Repository
  package var root: Descriptor
  package var tags: [String]
  package var uploaded = 0
  package var mounted = 0
  package var alreadyPresent = 0
  /// Of the blobs that were uploaded.
  package var byteCount: Int64 = 0
}

/// Pushes an image out of a layout: blobs first, every document after all that it names, tags last. Where anything
/// fails no tag has moved, and what is there already stays for the next run.
package struct ImagePusher: Sendable {
  private let client: RepositoryClient
  private let layout: ImageLayout
  private let mountFrom: [String]
  private let obtain: @Sendable (Descriptor) async throws -> FilePath?
  private let reporter: Reporter

  /// registry.md, B.10.
  package static let concurrencyLimit = 4

  /// - Parameters:
  ///   - layout: has all documents of the image. Blobs that it lacks must be in the repository, or come from a mount
  ///     or from `obtain`.
  ///   - mountFrom: paths of repositories of the same registry that may have some of the blobs.
  ///   - obtain: brings a blob that nobody has so far, as a verified file.
  package init(
    to client: RepositoryClient, from layout: ImageLayout, mountFrom: [String] = [],
    obtain: @escaping @Sendable (Descriptor) async throws -> FilePath? = { _ in nil },
    reporter: Reporter
  ) {
    self.client = client
    self.layout = layout
    self.mountFrom = mountFrom
    self.obtain = obtain
    self.reporter = reporter
  }

  /// - Parameter tags: what is to lead to the image; none leaves it to be had by digest.
  package func push(_ root: Descriptor, tags: [String]) async throws -> PushReport {
    var report = PushReport(repository: client.repository, root: root, tags: tags)
    let plan = try PushPlan(root, in: layout)
    let outcomes = try await each(plan.blobs) { blob in try await push(blob) }
    for (blob, outcome) in zip(plan.blobs, outcomes) {
      switch outcome {
      case .uploaded:
        report.uploaded += 1
        report.byteCount += blob.size
      case .mounted: report.mounted += 1
      case .alreadyPresent: report.alreadyPresent += 1
      case nil: break
      }
    }
    // Indexes after what they name; the plan has them in that order.
    let manifests = plan.documents.filter { !$0.mediaType.isIndex }
    _ = try await each(manifests) { try await put($0, tag: nil) }
    for index in plan.documents where index.mediaType.isIndex { try await put(index, tag: nil) }
    if tags.isEmpty { try await put(root, tag: nil) }
    for tag in tags { try await put(root, tag: tag) }
    reporter.report(.notice(report.summary))
    return report
  }

  /// - Returns: `nil` for a blob that no registry keeps.
  private func push(_ blob: Descriptor) async throws -> UploadOutcome? {
    let item = "blob \(blob.digest.hex.prefix(12))"
    let file: FilePath
    if try layout.store.contains(blob) {
      file = layout.store.path(of: blob.digest)
    } else {
      if try await client.hasBlob(blob) { return .alreadyPresent }
      for path in mountFrom where path != client.repository.path {
        if try await client.mount(blob, from: path) { return .mounted }
      }
      if blob.isForeign {
        reporter.detail("\(blob.digest): a foreign layer, left where its URLs say it is")
        return nil
      }
      guard let found = try await obtain(blob) else {
        throw LayoutError.missingBlob(blob.digest, layout: layout.path.string)
      }
      file = found
    }
    return try await client.push(blob, from: file, mountingFrom: mountFrom, item: item)
  }

  /// A registry may have lost a blob since it said that it has it (its garbage collection), or not know of it yet.
  private func put(_ document: Descriptor, tag: String?) async throws {
    let bytes = try layout.store.document(document.digest)
    do { try await client.putManifest(bytes, document, tag: tag) } catch let missing as MissingBlobs
    {
      reporter.detail("\(client.repository) has lost \(missing.digests.count) blobs; sending them")
      guard document.mediaType.isManifest else { throw missing.failure }
      let manifest = try layout.manifest(document).body
      for blob in [manifest.config] + manifest.layers where missing.digests.contains(blob.digest) {
        let stored = layout.store.path(of: blob.digest)
        let file = try layout.store.contains(blob) ? stored : try await obtain(blob)
        guard let file else { throw missing.failure }
        try await client.upload(blob, from: file, item: "blob \(blob.digest.hex.prefix(12))")
      }
      try await client.putManifest(bytes, document, tag: tag)
    }
  }

  /// Runs `body` for every descriptor, four at a time; the first failure stops the others.
  private func each<Value: Sendable>(
    _ descriptors: [Descriptor], _ body: @escaping @Sendable (Descriptor) async throws -> Value
  ) async throws -> [Value] {
    try await concurrently(descriptors, limit: Self.concurrencyLimit, body)
  }
}

extension PushReport {
  /// One sentence for people.
  package var summary: String {
    var parts: [String] = []
    if uploaded > 0 { parts.append("\(uploaded) blobs sent (\(readable(byteCount: byteCount)))") }
    if mounted > 0 { parts.append("\(mounted) mounted") }
    if alreadyPresent > 0 { parts.append("\(alreadyPresent) already there") }
    return
      "pushed \(repository): \(parts.isEmpty ? "nothing to send" : parts.joined(separator: ", "))"
  }
}
