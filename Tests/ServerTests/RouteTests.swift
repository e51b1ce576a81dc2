import NIOHTTP1
import OCISpec
import Testing

@testable import Server

@Suite("Route") struct RouteTests {
  private static let hex = String(repeating: "a", count: 64)

  @Test(
    "a path is read from its end, so that names may hold any word",
    arguments: [
      ("/v2", "support"), ("/v2/", "support"), ("/v2/_catalog", "catalog"),
      ("/v2/a/tags/list", "tags a"), ("/v2/tags/tags/list", "tags tags"),
      ("/v2/a/b/blobs/sha256:\(hex)", "blob a/b"),
      ("/v2/blobs/uploads/blobs/sha256:\(hex)", "blob blobs/uploads"),
      ("/v2/a/blobs/uploads", "uploads a"), ("/v2/a/blobs/uploads/", "uploads a"),
      ("/v2/a/blobs/uploads/1-2", "upload a 1-2"),
      ("/v2/a/manifests/blobs/uploads/1-2", "upload a/manifests 1-2"),
      ("/v2/a/manifests/v1", "manifest a :v1"), ("/v2/a/manifests/list", "manifest a :list"),
      ("/v2/a/blobs/uploads/manifests/v1", "manifest a/blobs/uploads :v1"),
      ("/v2/a/manifests/sha256:\(hex)", "manifest a @sha256:\(hex)"),
      ("/v2/a/referrers/sha256:\(hex)", "referrers a"),
    ])
  func routes(_ path: String, _ expected: String) throws {
    #expect(try Self.name(Route(path: path)) == expected)
  }

  @Test(
    "a path that names nothing says what is wrong with it",
    arguments: [
      ("/", 404, "UNSUPPORTED"), ("/v1/", 404, "UNSUPPORTED"), ("v2/", 404, "UNSUPPORTED"),
      ("/v2/a", 404, "UNSUPPORTED"), ("/v2/a/b", 404, "UNSUPPORTED"),
      ("/v2/a/layers/x", 404, "UNSUPPORTED"), ("/v2//", 404, "UNSUPPORTED"),
      ("/v2/A/tags/list", 400, "NAME_INVALID"), ("/v2/a//tags/list", 400, "NAME_INVALID"),
      ("/v2/../tags/list", 400, "NAME_INVALID"), ("/v2//tags/list", 400, "NAME_INVALID"),
      ("/v2/a/blobs/sha256:short", 400, "DIGEST_INVALID"),
      ("/v2/a/blobs/sha256:\(hex.uppercased())", 400, "DIGEST_INVALID"),
      ("/v2/a/blobs/..", 400, "DIGEST_INVALID"),
      ("/v2/a/blobs/md5:\(hex.prefix(32))", 400, "DIGEST_INVALID"),
      ("/v2/a/manifests/sha256:short", 400, "DIGEST_INVALID"),
      ("/v2/a/manifests/.INVALID_MANIFEST_NAME", 404, "MANIFEST_UNKNOWN"),
      ("/v2/a/manifests/", 404, "MANIFEST_UNKNOWN"),
    ])
  func refusals(_ path: String, _ status: Int, _ code: String) async throws {
    let answer = try await Desk().ask(.GET, path)
    #expect(answer.status == status)
    #expect(answer.code == code)
  }

  @Test(
    "a method that a path does not have is refused with those it has",
    arguments: [
      (HTTPMethod.POST, "/v2/", "GET, HEAD"), (.DELETE, "/v2/a/blobs/sha256:\(hex)", "GET, HEAD"),
      (.GET, "/v2/a/blobs/uploads/", "POST"),
      (.PATCH, "/v2/a/manifests/v1", "GET, HEAD, PUT, DELETE"),
      (.RAW(value: "PURGE"), "/v2/a/tags/list", "GET, HEAD"),
    ])
  func methods(_ method: HTTPMethod, _ path: String, _ allowed: String) async throws {
    let answer = try await Desk().ask(method, path)
    #expect(answer.status == 405)
    #expect(answer.code == "UNSUPPORTED")
    #expect(answer["Allow"] == allowed)
  }

  @Test(
    "repository names are those of the specification",
    arguments: [
      ("a", true), ("a/b/c", true), ("0a", true), ("a.b_c__d-e---f", true), ("blobs", true),
      (String(repeating: "a", count: 255), true), (String(repeating: "a", count: 256), false),
      ("", false), ("/a", false), ("a/", false), ("a//b", false), ("A", false), ("a..b", false),
      ("a___b", false), ("a.-b", false), ("-a", false), ("a-", false), ("a_", false), ("ä", false),
      ("a b", false), ("a:b", false), ("a\n", false), (".", false),
    ])
  func names(_ text: String, _ isName: Bool) { #expect((RepositoryName(text) != nil) == isName) }

  private static func name(_ route: Route) -> String {
    switch route {
    case .support: "support"
    case .catalog: "catalog"
    case .blob(let name, _): "blob \(name)"
    case .uploads(let name): "uploads \(name)"
    case .upload(let name, let session): "upload \(name) \(session)"
    case .manifest(let name, .tag(let tag)): "manifest \(name) :\(tag)"
    case .manifest(let name, .digest(let digest)): "manifest \(name) @\(digest)"
    case .tags(let name): "tags \(name)"
    case .referrers(let name, _): "referrers \(name)"
    }
  }
}
