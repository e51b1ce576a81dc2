import NIOHTTP1
import TestSupport

extension FaultyRegistry {
  /// The requests but the first, which asks how the registry is spoken to: `METHOD /path`, sorted.
  var asked: [String] { lines.filter { $0 != "GET /v2/" }.sorted() }

  /// The digests of the blobs whose bytes it gave, as often as it did.
  var fetchedBlobs: [String] {
    requests.compactMap { request in
      request.method == .GET
        ? request.path.firstMatch(of: /\/blobs\/(sha256:[0-9a-f]{64})$/).map { String($0.1) } : nil
    }
  }

  /// The digests of the blobs that were uploaded to it, as often as they were.
  var uploadedBlobs: [String] {
    requests.compactMap { request in
      let digest = request.target.firstMatch(of: /[?&]digest=sha256(?::|%3[Aa])([0-9a-f]{64})/)
      return request.method == .PUT ? digest.map { "sha256:\($0.1)" } : nil
    }
  }

  /// The references whose documents were put, in their order: tags and digests.
  var putManifests: [String] {
    requests.compactMap { request in
      request.method == .PUT
        ? request.path.firstMatch(of: /\/manifests\/([^\/]+)$/).map { String($0.1) } : nil
    }
  }
}
