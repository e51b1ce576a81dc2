import Bindings
package import OCILayout
package import OCISpec
import Reporting
import SystemPackage
import Workers

/// Where a layer of a base can be had from.
package enum BaseLayerSource: Sendable {
  /// A layout's, or what an archive was unpacked to.
  case store(BlobStore)
  /// The cache has it where it was needed before, and gets it where it is needed again; a target in the same
  /// registry may mount it.
  case registry(Repository)
}

/// The bytes of bases, fetched into the cache where they are in no store yet.
struct BaseBlobs: Sendable {
  let cache: BlobStore
  let registry: RegistryBases
  let isOffline: Bool
  let reporter: Reporter

  func documents(of source: BaseLayerSource) -> BaseDocuments {
    BaseDocuments { descriptor in
      switch source {
      case .store(let store):
        try await withBlockingWork { try store.document(descriptor.digest) }
      case .registry(let repository): try await document(descriptor, repository)
      }
    }
  }

  /// A document that the cache has undamaged, whichever image it came with.
  func cachedDocument(_ digest: Digest) async throws -> [UInt8]? {
    try await withBlockingWork { try? cache.document(digest) }
  }

  private func document(
    _ descriptor: Descriptor, _ repository: Repository
  ) async throws -> [UInt8] {
    if let bytes = try await cachedDocument(descriptor.digest) { return bytes }
    guard !isOffline else {
      throw BaseError.notInCache("\(repository)@\(descriptor.digest)")
    }
    let bytes = try await registry.document(repository, descriptor)
    let found = try Digest.of(bytes, by: descriptor.digest.algorithm)
    guard found == descriptor.digest else {
      throw BaseError.wrongDocument(descriptor.digest, found: found)
    }
    if found.algorithm == .sha256 { _ = try await withBlockingWork { try cache.put(bytes) } }
    return bytes
  }

  /// Runs `body` on a thread that may block, with a store that has the layer's blob. Where `body` finds a fetched
  /// blob damaged, it is fetched anew, and `body` runs once more.
  func withBlob<Value: Sendable>(
    of layer: Descriptor, from source: BaseLayerSource, _ body: (BlobStore) throws -> Value
  ) async throws -> Value {
    switch source {
    case .store(let store): return try await withBlockingWork { try body(store) }
    case .registry(let repository):
      if try await withBlockingWork({ try cache.size(of: layer.digest) }) == nil {
        try await fetch(layer, repository)
      }
      do { return try await withBlockingWork { try body(cache) } } catch {
        guard !isOffline, Self.isDamage(error, of: layer.digest) else { throw error }
        let path = cache.path(of: layer.digest)
        reporter.warn("the cached file \(path.string.quoted) is damaged; fetching it again")
        try FileSystem.remove(path)
        try await fetch(layer, repository)
        return try await withBlockingWork { try body(cache) }
      }
    }
  }

  private func fetch(_ layer: Descriptor, _ repository: Repository) async throws {
    guard !isOffline else { throw BaseError.notInCache("layer \(layer.digest) of \(repository)") }
    try await registry.layer(repository, layer, cache)
  }

  private static func isDamage(_ error: any Error, of blob: Digest) -> Bool {
    switch error {
    case LayoutError.corruptBlob(_, let expected, _): expected == blob
    case LayoutError.sizeMismatch(let digest, _, _): digest == blob
    default: false
    }
  }
}
