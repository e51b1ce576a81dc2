import NIOHTTP1
package import OCISpec
import Reporting

extension RepositoryClient {
  /// All tags of the repository, in the registry's order. What is no tag by its grammar is left out and said.
  /// - Throws: ``RegistryFailure``.
  package func tags() async throws -> [String] { try await tags(ofPages: Self.pageLimit).tags }

  /// - Returns: whether those are all.
  private func tags(ofPages limit: Int) async throws -> (tags: [String], areAll: Bool) {
    var request = try tagsRequest("?n=\(Self.tagPage)")
    var first = try await transport.send(request)
    if first.status == 400 {
      // It has its own idea of how much is too much.
      request = try tagsRequest("")
      first = try await transport.send(request)
    }
    guard first.status == 200 else { throw transport.failure(of: first, to: request) }
    var found: [String] = []
    var strange = 0, pages = 0, areAll = true
    try await eachPage(of: request, first: first) { page in
      for tag in try tags(on: page, request) {
        if Reference.isTag(tag) { found.append(tag) } else { strange += 1 }
      }
      guard found.count <= Self.tagLimit else {
        throw transport.failure(
          .protocolBroken("it lists more than \(Self.tagLimit) tags"), request, at: page.url)
      }
      pages += 1
      guard pages == limit && LinkHeader.next(in: page.headers["Link"]) != nil else { return true }
      areAll = pages == Self.pageLimit
      return areAll
    }
    if strange > 0 {
      reporter.warn("\(repository): the registry lists \(strange) tags that are none; left out")
    }
    return (found, areAll)
  }

  /// The document that a reference means, as ``manifest(_:)`` has it. Where there is no such tag the error says which
  /// ones there are.
  package func manifest(
    of reference: Reference
  ) async throws -> (bytes: [UInt8], descriptor: Descriptor) {
    let name = ManifestName(reference)
    do { return try await manifest(name) } catch var failure as RegistryFailure {
      if failure.isNotFound, case .tag(let tag) = name, failure.advice == nil {
        failure.advice = try await advice(insteadOf: tag)
      }
      throw failure
    }
  }

  /// Out of one page: nobody waits for a thousand to read that a name is wrong. `nil` where the tags are not to be had.
  private func advice(insteadOf tag: String) async throws -> String? {
    let tags: [String], areAll: Bool
    do { (tags, areAll) = try await self.tags(ofPages: 1) } catch let failure as RegistryFailure {
      reporter.detail("\(failure)")
      return nil
    }
    guard !tags.isEmpty else { return "\(repository) has no tags" }
    let shown = tags.suffix(Self.shownTags).joined(separator: ", ")
    let rest = tags.count - Self.shownTags
    let more = !areAll ? " and more" : rest > 0 ? " and \(rest) more" : ""
    let nearest = tag.nearest(in: tags.prefix(Self.comparedTags))
    return "\(repository) has \(shown)\(more)"
      + (nearest.map { "; did you mean \($0.quoted)?" } ?? "")
  }

  private func tags(
    on page: RegistryResponse, _ request: RegistryRequest
  ) throws -> [String] {
    let document = try? JSON(parsing: page.body)
    let tags = document?["tags"]
    guard document?.objectValue != nil, tags == nil || tags == .null || tags?.arrayValue != nil
    else {
      throw transport.failure(
        .protocolBroken("expected a list of tags, got something else"), request, at: page.url)
    }
    return (tags?.arrayValue ?? []).map { $0.stringValue ?? "" }
  }

  private func tagsRequest(_ query: String) throws -> RegistryRequest {
    var request = try request(
      .GET, "tags/list\(query)", activity: "listing the tags of \(repository)")
    request.responseLimit = 8 << 20
    return request
  }

  /// More is an error at Amazon ECR, and taken for this by distribution.
  private static let tagPage = 1_000
  private static let tagLimit = 1_000_000
  private static let shownTags = 10
  /// A registry may give more at once than it was asked for.
  private static let comparedTags = 2_000
}
