import NIOHTTP1
package import OCISpec
import Reporting

extension RepositoryClient {
  /// Takes a tag away; what it led to stays. Never deletes by digest instead, which would take all tags.
  /// - Throws: ``RegistryFailure``; also where there is no such tag.
  package func deleteTag(_ tag: String) async throws {
    try await delete(
      .tag(tag), activity: "deleting \(repository):\(tag)",
      advice:
        "this registry does not delete tags, or is set up not to; a digest in place of the tag deletes the image with all of its tags"
    )
  }

  /// Deletes a manifest or an index, and with it all tags that lead to it. Where it has a subject and the registry
  /// keeps no list of referrers, it leaves the subject's fallback tag too.
  /// - Throws: ``RegistryFailure``; also where there is no such manifest.
  package func deleteManifest(_ digest: Digest) async throws {
    let subject = ManifestLinks(try await manifest(.digest(digest)).bytes)?.subject
    try await delete(
      .digest(digest), activity: "deleting \(repository)@\(digest)",
      advice: "this registry is set up not to delete")
    if let subject, try await !keepsReferrers(of: subject.digest) {
      try await changeReferrers(of: subject.digest, .remove(digest))
    }
  }

  private func delete(_ name: ManifestName, activity: String, advice: String) async throws {
    var request = try request(
      .DELETE, "manifests/\(name)", activity: activity, scopes: [.delete(repository)])
    // With a body, if an empty one, it is never repeated behind our back: a 404 must tell whether we did it.
    request.body = .bytes([])
    var attempts = 0
    let sent = request
    let response = try await transport.retrying(sent) {
      attempts += 1
      return try await transport.exchange(sent)
    }
    switch response.status {
    case 200, 202, 204: return
    // Gone already: an attempt before this one did it, and its answer got lost.
    case 404 where attempts > 1: return
    default:
      var failure = transport.failure(of: response, to: request, attempts: attempts)
      if [400, 405, 501].contains(response.status) { failure.advice = advice }
      throw failure
    }
  }
}
