import Bindings
import NIOCore
import NIOHTTP1
import OCILayout
import OCISpec

/// Manifests: distribution-spec, "Pulling manifests", "Pushing manifests", "Deleting manifests".
extension RegistryService {
  func manifest(
    _ reference: ManifestReference, in name: RepositoryName, _ request: ServerRequest
  ) throws -> ServerResponse {
    guard let descriptor = try catalogue.find(reference, in: name) else {
      throw RegistryError.manifestUnknown("\(name)\(reference.suffix)")
    }
    guard AcceptedTypes(request.headers["Accept"]).contains(descriptor.mediaType) else {
      throw RegistryError.manifestNotAccepted(descriptor.mediaType)
    }
    let bytes = try layout.store.document(descriptor.digest)
    return ServerResponse(
      .ok,
      headers: [
        "Content-Type": descriptor.mediaType.rawValue,
        "Docker-Content-Digest": "\(descriptor.digest)", "ETag": "\"\(descriptor.digest)\"",
      ], body: .bytes(bytes))
  }

  /// Takes a manifest when all that it refers to is here, so that whatever has a tag can be pulled.
  func pushManifest(
    _ reference: ManifestReference, in name: RepositoryName, _ target: RequestTarget,
    _ request: ServerRequest
  ) async throws -> ServerResponse {
    let tags = try self.tags(reference, target)
    let bytes = try await document(request)
    let manifest = try PushedManifest(
      bytes, contentType: request.headers.first(name: "Content-Type"))
    let digest = try Digest.sha256(of: bytes)
    if case .digest(let expected) = reference {
      guard expected.algorithm == .sha256 else {
        throw RegistryError.digestUnsupported(expected.algorithm)
      }
      guard expected == digest else {
        throw RegistryError.digestInvalid(
          "digest mismatch: expected \(expected), got \(digest) after \(bytes.count) bytes")
      }
    }
    try checkReferences(manifest)
    try layout.store.put(bytes)
    try catalogue.place(
      Descriptor(mediaType: manifest.mediaType, digest: digest, size: Int64(bytes.count)),
      tags: tags, in: name, holding: manifest.children)
    var headers: HTTPHeaders = [
      "Location": "/v2/\(name)/manifests/\(digest)", "Docker-Content-Digest": "\(digest)",
    ]
    if let subject = manifest.subject { headers.add(name: "OCI-Subject", value: "\(subject)") }
    for tag in target.values(of: "tag") { headers.add(name: "OCI-Tag", value: tag) }
    return ServerResponse(.created, headers: headers)
  }

  func deleteManifest(
    _ reference: ManifestReference, in name: RepositoryName
  ) throws -> ServerResponse {
    if try catalogue.delete(reference, in: name) { return ServerResponse(.accepted) }
    if case .digest(let digest) = reference, try catalogue.find(digest) != nil {
      throw RegistryError.manifestHeld(digest)
    }
    throw RegistryError.manifestUnknown("\(name)\(reference.suffix)")
  }

  /// The tags that a push sets: the one in its path, or those in its query.
  private func tags(
    _ reference: ManifestReference, _ target: RequestTarget
  ) throws(RegistryError) -> [String] {
    if case .tag(let tag) = reference { return [tag] }
    let tags = target.values(of: "tag")
    if let malformed = tags.first(where: { !Reference.isTag($0) }) {
      throw .tagInvalid(malformed)
    }
    return tags
  }

  private func document(_ request: ServerRequest) async throws -> [UInt8] {
    let limit = BlobStore.maximumDocumentSize
    guard request.contentLength ?? 0 <= limit else {
      throw RegistryError.manifestTooLarge(limit: limit)
    }
    var bytes: [UInt8] = []
    while let piece = try await request.body.next() {
      bytes += piece.readableBytesView
      guard bytes.count <= limit else { throw RegistryError.manifestTooLarge(limit: limit) }
    }
    return bytes
  }

  private func checkReferences(_ manifest: PushedManifest) throws {
    var missing: [Digest] = []
    for reference in manifest.references {
      guard let size = try layout.store.size(of: reference.digest) else {
        if !missing.contains(reference.digest) && missing.count < Self.maximumComplaints {
          missing.append(reference.digest)
        }
        continue
      }
      guard size == reference.size else {
        throw RegistryError.manifestInvalid(
          "the descriptor of \(reference.digest) says \(reference.size) bytes, it has \(size)")
      }
    }
    guard missing.isEmpty else { throw RegistryError.manifestBlobUnknown(missing) }
  }

  private static let maximumComplaints = 20
}

extension ManifestReference {
  /// As it stands behind a repository's name.
  fileprivate var suffix: String {
    switch self {
    case .tag(let tag): ":\(tag)"
    case .digest(let digest): "@\(digest)"
    }
  }
}
