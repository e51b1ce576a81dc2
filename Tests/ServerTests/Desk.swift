import Bindings
import Foundation
import NIOCore
import NIOHTTP1
import OCILayout
import OCISpec
import Reporting
import SystemPackage
import TestSupport
import Testing

@testable import Server

/// An answer with its body.
struct Answer {
  let status: Int
  let headers: HTTPHeaders
  let body: [UInt8]

  subscript(_ name: String) -> String? { headers.first(name: name) }
  var text: String { String(decoding: body, as: UTF8.self) }
  var json: JSON { get throws { try JSON(parsing: body) } }
  /// The code of the first error.
  var code: String? { (try? json)?["errors"]?.arrayValue?.first?["code"]?.stringValue }
}

/// A registry over a layout of its own, asked without a network in between.
struct Desk {
  let folder: TemporaryDirectory
  let layout: ImageLayout
  let service: RegistryService

  init(
    access: RegistryService.Access = .readWrite, reporter: Reporter = .silent,
    clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) throws {
    folder = try TemporaryDirectory()
    layout = try ImageLayout.create(folder.path.appending("layout"))
    service = RegistryService(layout, access: access, reporter: reporter, clock: clock)
  }

  /// - Parameter body: the request's, in pieces.
  func ask(
    _ method: HTTPMethod, _ target: String, _ headers: HTTPHeaders = [:],
    pieces: [[UInt8]], then failure: (any Error)? = nil
  ) async throws -> Answer {
    var left = pieces[...]
    let request = ServerRequest(
      method: method, target: target, headers: headers,
      body: RequestBody {
        if let piece = left.popFirst() { return ByteBuffer(bytes: piece) }
        if let failure { throw failure }
        return nil
      })
    let response = try await service.respond(to: request)
    var body: [UInt8] = []
    try await response.body.write { body += $0.readableBytesView }
    #expect(response.body.byteCount == Int64(body.count))
    return Answer(status: Int(response.status.code), headers: response.headers, body: body)
  }

  func ask(
    _ method: HTTPMethod, _ target: String, _ headers: HTTPHeaders = [:], _ body: String = ""
  ) async throws -> Answer {
    try await ask(method, target, headers, pieces: body.isEmpty ? [] : [Array(body.utf8)])
  }

  /// Begins an upload and returns its place.
  func begin(in name: String = "a") async throws -> String {
    let begun = try await ask(.POST, "/v2/\(name)/blobs/uploads/")
    try #require(begun.status == 202, "\(begun.text)")
    return try #require(begun["Location"])
  }

  /// Stores a blob behind the registry's back.
  func store(_ text: String, _ type: MediaType = .layer) throws -> Descriptor {
    let bytes = Array(text.utf8)
    return Descriptor(
      mediaType: type, digest: try layout.store.put(bytes), size: Int64(bytes.count))
  }

  /// A manifest whose blobs are in the store.
  func manifest(_ seed: String = "one") throws -> Manifest {
    Manifest(
      config: try store(#"{"architecture":"amd64","os":"linux","seed":"\#(seed)"}"#, .imageConfig),
      layers: [try store(seed)])
  }

  /// Pushes a document, which must succeed, and returns its descriptor.
  @discardableResult
  func push(
    _ json: JSON, as reference: String? = nil, in name: String = "a", query: String = ""
  ) async throws -> Descriptor {
    let bytes = CanonicalJSON.encode(json)
    let digest = try Digest.sha256(of: bytes)
    let type = MediaType(rawValue: json["mediaType"]?.stringValue ?? "")
    let pushed = try await ask(
      .PUT, "/v2/\(name)/manifests/\(reference ?? "\(digest)")\(query)",
      ["Content-Type": type.rawValue], pieces: [bytes])
    try #require(pushed.status == 201, "\(pushed.text)")
    #expect(pushed["Docker-Content-Digest"] == "\(digest)")
    #expect(pushed["Location"] == "/v2/\(name)/manifests/\(digest)")
    return Descriptor(mediaType: type, digest: digest, size: Int64(bytes.count))
  }

  /// What `index.json` has: names, or digests where there is none.
  func entries() throws -> [String] {
    try layout.index().manifests.map { $0.refName ?? "\($0.digest)" }
  }

  /// The temporary files that are alive.
  func temporaryFiles() -> [String] {
    (try? FileManager.default.contentsOfDirectory(
      atPath: layout.path.appending(".ociforge").string)) ?? []
  }
}

let octets: HTTPHeaders = ["Content-Type": "application/octet-stream"]

func digest(of text: String) throws -> String { "\(try Digest.sha256(of: Array(text.utf8)))" }
