import Bindings
import OCILayout
import OCISpec
import Reporting

/// The documents of a base, wherever they are, each held against its descriptor before anything believes it.
struct BaseDocuments: Sendable {
  /// The bytes that a descriptor's digest names.
  let bytes: @Sendable (Descriptor) async throws -> [UInt8]

  func index(_ descriptor: Descriptor) async throws -> ImageIndex {
    try await read(descriptor) { json throws(DocumentError) in try ImageIndex(json: json) }
  }

  func manifest(_ descriptor: Descriptor) async throws -> Manifest {
    try await read(descriptor) { json throws(DocumentError) in try Manifest(json: json) }
  }

  func config(_ descriptor: Descriptor) async throws -> ImageConfig {
    try await read(descriptor) { json throws(DocumentError) in try ImageConfig(json: json) }
  }

  private func read<Body>(
    _ descriptor: Descriptor, decode: (JSON) throws(DocumentError) -> Body
  ) async throws -> Body {
    let limit = Int64(BlobStore.maximumDocumentSize)
    guard descriptor.size <= limit else {
      throw BaseError.documentTooLarge(descriptor.digest, size: descriptor.size, limit: limit)
    }
    let bytes = try await bytes(descriptor)
    guard Int64(bytes.count) == descriptor.size else {
      throw LayoutError.sizeMismatch(
        descriptor.digest, expected: descriptor.size, found: Int64(bytes.count))
    }
    let json: JSON
    let body: Body
    do {
      json = try JSON(parsing: bytes)
      body = try decode(json)
    } catch { throw LayoutError.malformedDocument("\(descriptor.digest)", error) }
    if !descriptor.mediaType.isConfig { try checkType(json, descriptor) }
    return body
  }

  /// One reading only: who takes an index for a manifest gets another image for the same digest.
  private func checkType(_ json: JSON, _ descriptor: Descriptor) throws {
    if let text = json["mediaType"]?.stringValue, text != descriptor.mediaType.rawValue {
      throw BaseError.mediaTypeConflict(
        descriptor.digest, expected: descriptor.mediaType, found: MediaType(rawValue: text))
    }
    if json["manifests"] != nil && (json["layers"] != nil || json["config"] != nil) {
      throw BaseError.ambiguousDocument(descriptor.digest)
    }
  }
}
