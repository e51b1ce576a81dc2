import Bindings
import Foundation
import NIOHTTP1
import OCISpec
import Synchronization

/// A registry that does everything right, but for the faults that a test sends in.
final class FakeRegistry: Sendable {
  typealias Request = ScriptedServer.Request
  typealias Answer = ScriptedServer.Answer

  enum Kind: String, Sendable {
    case ping, look, mount, post, put, patch, status, cancel
    case lookManifest, getManifest, putManifest, deleteManifest, tags, referrers
  }

  enum Fault {
    /// Nothing happens but this answer.
    case instead(Answer)
    /// What was asked for happens, and this is the answer to it.
    case afterwards(Answer)
  }

  struct State {
    var blobs: [String: [UInt8]] = [:]
    var manifests: [String: (bytes: [UInt8], type: String)] = [:]
    var sessions: [String: [UInt8]] = [:]
    var counts: [Kind: Int] = [:]
    var log: [Kind] = []
    var hasReferrers = false
  }

  let state = Mutex(State())
  private let fault: @Sendable (Kind, Int, Request) -> Fault?

  /// - Parameter fault: told the kind of a request and how many of them came before.
  init(fault: @escaping @Sendable (Kind, Int, Request) -> Fault? = { _, _, _ in nil }) {
    self.fault = fault
  }

  /// What was asked, without the greeting.
  var log: [Kind] { state.withLock { $0.log.filter { $0 != .ping } } }
  func count(_ kind: Kind) -> Int { state.withLock { $0.counts[kind] ?? 0 } }
  func blob(_ digest: Digest) -> [UInt8]? { state.withLock { $0.blobs["\(digest)"] } }
  func has(_ reference: String) -> Bool { state.withLock { $0.manifests[reference] != nil } }
  var openSessions: Int { state.withLock { $0.sessions.count } }

  func run<Result>(
    early: @escaping @Sendable (Request) -> Answer? = { _ in nil },
    _ body: (ScriptedServer) async throws -> Result
  ) async throws -> Result {
    try await ScriptedServer.run(early: early, { self.answer($0) }, body)
  }

  private func answer(_ request: Request) -> Answer {
    let kind = Self.kind(of: request)
    let number = state.withLock { state in
      state.log.append(kind)
      defer { state.counts[kind, default: 0] += 1 }
      return state.counts[kind] ?? 0
    }
    switch fault(kind, number, request) {
    case nil: return act(kind, request)
    case .instead(let answer): return answer
    case .afterwards(let answer):
      _ = act(kind, request)
      return answer
    }
  }

  private static func path(_ request: Request) -> String {
    String(request.uri.prefix { $0 != "?" })
  }

  private static func query(_ request: Request, _ name: String) -> String? {
    URLComponents(string: request.uri)?.queryItems?.first { $0.name == name }?.value
  }

  private static func kind(of request: Request) -> Kind {
    let path = path(request)
    if path == "/v2/" { return .ping }
    if path.contains("/blobs/uploads/") {
      switch request.method {
      case "POST": return query(request, "mount") == nil ? .post : .mount
      case "PUT": return .put
      case "PATCH": return .patch
      case "DELETE": return .cancel
      default: return .status
      }
    }
    if path.hasSuffix("/tags/list") { return .tags }
    if path.contains("/referrers/") { return .referrers }
    if path.contains("/manifests/") {
      switch request.method {
      case "HEAD": return .lookManifest
      case "GET": return .getManifest
      case "DELETE": return .deleteManifest
      default: return .putManifest
      }
    }
    return .look
  }

  private func act(_ kind: Kind, _ request: Request) -> Answer {
    let name = String(Self.path(request).split(separator: "/").last ?? "")
    return state.withLock { state in
      switch kind {
      case .ping: return .ok
      case .look:
        guard let blob = state.blobs[name] else { return .status(404) }
        return Answer(body: [], length: blob.count)
      case .mount, .post:
        let id = "u\(state.counts[kind] ?? 0)\(kind.rawValue)"
        state.sessions[id] = []
        return .status(202, [("Location", "/v2/team/app/blobs/uploads/\(id)?_state=a%2Bb%3D")])
      case .patch:
        guard var bytes = state.sessions[name] else { return .status(404) }
        let range = (request["Content-Range"] ?? "").split(separator: "-").compactMap { Int($0) }
        guard range.count == 2, range[0] == bytes.count,
          range[1] - range[0] + 1 == request.body.count
        else { return .status(416) }
        bytes += request.body
        state.sessions[name] = bytes
        return .status(202, Self.where(name, bytes.count))
      case .status:
        guard let bytes = state.sessions[name] else { return .status(404) }
        return .status(204, Self.where(name, bytes.count))
      case .put:
        guard let bytes = state.sessions.removeValue(forKey: name),
          let text = Self.query(request, "digest"), let wanted = try? Digest(parsing: text)
        else { return .status(404, body: error("BLOB_UPLOAD_UNKNOWN")) }
        let all = bytes + request.body
        guard (try? Digest.of(all, by: wanted.algorithm)) == wanted else {
          return .status(400, body: error("DIGEST_INVALID"))
        }
        state.blobs[text] = all
        return .status(201, [("Docker-Content-Digest", text)])
      case .cancel:
        return .status(state.sessions.removeValue(forKey: name) == nil ? 404 : 204)
      case .lookManifest, .getManifest:
        guard let found = state.manifests[name], let digest = try? Digest.sha256(of: found.bytes)
        else { return .status(404) }
        let headers = [("Content-Type", found.type), ("Docker-Content-Digest", "\(digest)")]
        return kind == .getManifest
          ? Answer(headers: headers, body: found.bytes)
          : Answer(headers: headers, body: [], length: found.bytes.count)
      case .putManifest:
        guard let digest = try? Digest.sha256(of: request.body) else { return .status(500) }
        let manifest = (request.body, request["Content-Type"] ?? "")
        state.manifests[name] = manifest
        state.manifests["\(digest)"] = manifest
        var headers = [("Docker-Content-Digest", "\(digest)")]
        let json = try? JSON(parsing: request.body)
        if state.hasReferrers, let subject = json?["subject"]?["digest"]?.stringValue {
          headers.append(("OCI-Subject", subject))
        }
        return .status(201, headers)
      case .deleteManifest:
        return .status(state.manifests.removeValue(forKey: name) == nil ? 404 : 202)
      case .tags:
        let tags = state.manifests.keys.filter { !$0.contains(":") }.sorted()
        let list = tags.map { "\"\($0)\"" }.joined(separator: ",")
        return .json("{\"name\":\"team/app\",\"tags\":[\(list)]}")
      case .referrers:
        guard state.hasReferrers else { return .status(404) }
        return Answer(
          headers: [("Content-Type", MediaType.imageIndex.rawValue)],
          body: Array(#"{"schemaVersion":2,"manifests":[]}"#.utf8))
      }
    }
  }

  private static func `where`(_ id: String, _ count: Int) -> [(String, String)] {
    [
      ("Location", "/v2/team/app/blobs/uploads/\(id)?_state=\(count)"),
      ("Range", "0-\(max(count - 1, 0))"),
    ]
  }
}

/// The body of an error with this code.
func error(_ code: String, detail: String = "null") -> String {
  #"{"errors":[{"code":"\#(code)","message":"no","detail":\#(detail)}]}"#
}

extension FakeRegistry.Fault {
  static func status(
    _ status: Int, _ headers: [(String, String)] = [], body: String = ""
  ) -> Self {
    .instead(.status(status, headers, body: body))
  }

  /// The connection ends where an answer should be.
  static let reset = Self.instead(.init(dropAfter: -1, isReset: true))
  static let resetAfterwards = Self.afterwards(.init(dropAfter: -1, isReset: true))
}

/// A blob in a file.
struct SampleBlob {
  let bytes: [UInt8]
  let descriptor: Descriptor

  init(_ count: Int = 100_000, by algorithm: Digest.Algorithm = .sha256) throws {
    let block = try sample(min(count, 99_991)).bytes
    var all: [UInt8] = []
    while all.count < count { all += block.prefix(count - all.count) }
    bytes = all
    descriptor = Descriptor(
      mediaType: .layer, digest: try Digest.of(bytes, by: algorithm), size: Int64(count))
  }
}
