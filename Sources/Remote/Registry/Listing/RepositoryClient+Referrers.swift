import NIOHTTP1
package import OCISpec
import Reporting

extension RepositoryClient {
  /// What refers to a manifest: signatures, lists of what is inside, and the like. Out of the registry's list, else
  /// from the fallback tag: registry.md, B.9.
  /// - Parameter artifactType: only these.
  /// - Throws: ``RegistryFailure``.
  package func referrers(
    of digest: Digest, artifactType: String? = nil
  ) async throws -> [Descriptor] {
    let known = transport.sessions[repository.registry].referrers.support(of: repository.path)
    if known != false, let found = try await listed(digest, artifactType) { return found }
    guard let tagged = try await fallback(of: digest) else { return [] }
    let index: ReferrersIndex
    do throws(ReferrersIndex.Problem) { index = try tagged.index() } catch {
      throw transport.failure(
        .protocolBroken("the tag for what refers to an image leads to something else"),
        tagged.request, at: tagged.response.url)
    }
    return matching(index.descriptors, artifactType, of: index.entries.count)
  }

  /// Whether the registry lists referrers itself.
  func keepsReferrers(of digest: Digest) async throws -> Bool {
    let memory = transport.sessions[repository.registry].referrers
    if let known = memory.support(of: repository.path) { return known }
    return try await listed(digest, nil) != nil
  }

  /// - Returns: `nil` where the registry has no such list, which is kept in mind.
  private func listed(_ digest: Digest, _ artifactType: String?) async throws -> [Descriptor]? {
    let query = artifactType.map { "?artifactType=\($0.percentEncoded)" } ?? ""
    var request = try request(
      .GET, "referrers/\(digest)\(query)",
      activity: "listing what refers to \(repository)@\(digest)")
    request.headers = [("Accept", MediaType.imageIndex.rawValue)]
    request.responseLimit = ManifestRules.byteLimit
    let first = try await transport.send(request)
    let memory = transport.sessions[repository.registry].referrers
    guard let isList = Self.isReferrersList(first) else {
      throw transport.failure(of: first, to: request)
    }
    memory.learn(support: isList, of: repository.path)
    guard isList else { return nil }
    var found: [Descriptor] = [], count = 0
    try await eachPage(of: request, first: first) { page in
      let index: ReferrersIndex
      let type = page["Content-Type"]
      do throws(ReferrersIndex.Problem) {
        index = try ReferrersIndex(page.body, contentType: type)
      } catch {
        throw transport.failure(
          .protocolBroken("expected a list of referrers, got something else"), request, at: page.url
        )
      }
      found += index.descriptors
      count += index.entries.count
      guard count <= Self.referrerLimit else {
        throw transport.failure(
          .protocolBroken("it lists more than \(Self.referrerLimit) referrers"), request,
          at: page.url)
      }
      return true
    }
    let filters = first.headers["OCI-Filters-Applied"].joined(separator: ",").lowercased()
    return matching(found, filters.contains("artifacttype") ? nil : artifactType, of: count)
  }

  /// `nil` where the answer says neither yes nor no: go-containerregistry counts the same ones as no.
  static func isReferrersList(_ response: RegistryResponse) -> Bool? {
    let type = response["Content-Type"].flatMap(ManifestRules.specific)
    return switch response.status {
    case 200: type == MediaType.imageIndex.rawValue
    case 400, 404, 405, 406, 501: false
    default: nil
    }
  }

  private func matching(
    _ found: [Descriptor], _ artifactType: String?, of count: Int
  ) -> [Descriptor] {
    if found.count < count {
      reporter.warn("\(repository): \(count - found.count) referrers cannot be read; left out")
    }
    guard let artifactType else { return found }
    return found.filter { $0.artifactType == artifactType }
  }

  private static let referrerLimit = 100_000
}
