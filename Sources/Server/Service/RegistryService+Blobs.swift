import NIOCore
import NIOHTTP1
import OCILayout
import OCISpec

/// Blobs: distribution-spec, "Pulling blobs", "Pushing blobs".
extension RegistryService {
  func blob(_ digest: Digest, _ request: ServerRequest) throws -> ServerResponse {
    guard let size = try layout.store.size(of: digest) else {
      throw RegistryError.blobUnknown(digest)
    }
    let tag = "\"\(digest)\""
    let headers: HTTPHeaders = [
      "Content-Type": "application/octet-stream", "Docker-Content-Digest": "\(digest)",
      "ETag": tag, "Accept-Ranges": "bytes",
    ]
    let path = layout.store.path(of: digest)
    let condition = request.headers.first(name: "If-Range")
    let isRanged = request.method == .GET && (condition == nil || condition == tag)
    switch RequestedRange(isRanged ? request.headers.first(name: "Range") : nil, size: size) {
    case .whole: return ServerResponse(.ok, headers: headers, body: .file(path, 0..<size))
    case .part(let range):
      var headers = headers
      headers.add(
        name: "Content-Range", value: "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)")
      return ServerResponse(.partialContent, headers: headers, body: .file(path, range))
    case .unsatisfiable: throw RegistryError.rangeUnsatisfiable(size: size)
    }
  }

  /// A mount, a whole blob in one request, or the first of several requests.
  func beginUpload(
    in name: RepositoryName, _ target: RequestTarget, _ request: ServerRequest
  ) async throws -> ServerResponse {
    if let text = target["mount"] {
      let digest = try Digest(requested: text)
      if try layout.store.size(of: digest) != nil { return stored(digest, in: name) }
    }
    if let text = target["digest-algorithm"], text != Digest.Algorithm.sha256.rawValue {
      guard let algorithm = Digest.Algorithm(rawValue: text) else {
        throw RegistryError.digestInvalid("expected the algorithm sha256")
      }
      throw RegistryError.digestUnsupported(algorithm)
    }
    let digest = try target["digest"].map(uploadDigest)
    let session = try uploads.begin(in: name)
    guard let digest else { return progress(of: session, .accepted) }
    // Nobody else knows of this upload.
    defer { uploads.end(session) }
    return try await finish(session, digest, request)
  }

  /// A request to an upload that has begun.
  func upload(
    _ session: UploadSession, _ target: RequestTarget, _ request: ServerRequest
  ) async throws -> ServerResponse {
    switch request.method {
    case .PATCH:
      try await session.withClaim(clock: uploads.clock) { try await receive(request, session) }
      return progress(of: session, .accepted)
    case .PUT:
      guard let text = target["digest"] else { throw RegistryError.digestMissing }
      return try await finish(session, uploadDigest(text), request)
    case .DELETE:
      uploads.end(session)
      return ServerResponse(.noContent)
    default: return progress(of: session, .noContent)
    }
  }

  private func uploadDigest(_ text: String) throws(RegistryError) -> Digest {
    let digest = try Digest(requested: text)
    guard digest.algorithm == .sha256 else { throw .digestUnsupported(digest.algorithm) }
    return digest
  }

  private func finish(
    _ session: UploadSession, _ digest: Digest, _ request: ServerRequest
  ) async throws -> ServerResponse {
    try await session.withClaim(clock: uploads.clock) {
      try await receive(request, session)
      uploads.end(session)
      try session.commit(expecting: digest)
    }
    return stored(digest, in: session.repository)
  }

  /// Appends a request's body. Where the client goes away, what has come stays, and it may go on from there; a
  /// body that is not as long as its range says ends the upload.
  private func receive(_ request: ServerRequest, _ session: UploadSession) async throws {
    if let type = request.headers.first(name: "Content-Type"),
      MediaType(contentType: type).rawValue != "application/octet-stream",
      request.contentLength != 0
    {
      throw RegistryError.contentTypeInvalid(type)
    }
    var expected = request.contentLength
    if let text = request.headers.first(name: "Content-Range") {
      let range = try ChunkRange(text), offset = session.byteCount
      guard range.first == offset else {
        throw RegistryError.chunkOutOfOrder(
          first: range.first, expected: offset, location: session.location)
      }
      if let length = expected, length != range.count {
        throw RegistryError.sizeInvalid(expected: range.count, found: length)
      }
      expected = range.count
    }
    var received: Int64 = 0
    while let piece = try await request.body.next() {
      received += Int64(piece.readableBytes)
      if let expected, received > expected { break }
      try session.append(piece)
    }
    if let expected, received != expected {
      uploads.end(session)
      throw RegistryError.sizeInvalid(expected: expected, found: received)
    }
  }

  private func progress(
    of session: UploadSession, _ status: HTTPResponseStatus
  ) -> ServerResponse {
    ServerResponse(
      status,
      headers: [
        "Location": session.location, "Range": receivedRange(byteCount: session.byteCount),
        "Docker-Upload-UUID": session.id,
      ])
  }

  private func stored(_ digest: Digest, in name: RepositoryName) -> ServerResponse {
    ServerResponse(
      .created,
      headers: [
        "Location": "/v2/\(name)/blobs/\(digest)", "Docker-Content-Digest": "\(digest)",
      ])
  }
}
