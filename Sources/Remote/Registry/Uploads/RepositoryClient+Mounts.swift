package import OCISpec
import Reporting

extension RepositoryClient {
  /// Takes a blob over from another repository of the registry: registry.md, B.5. A registry that opens an upload
  /// instead has it used by the next upload of the blob.
  /// - Parameter path: the other repository's.
  /// - Returns: whether the blob is here now; whatever else the registry says means no.
  /// - Throws: ``RegistryFailure`` where the registry took over something else, and where no request is allowed at all.
  package func mount(_ descriptor: Descriptor, from path: String) async throws -> Bool {
    let source = TokenScope.pull(Repository(registry: repository.registry, path: path))
    let session = transport.sessions[repository.registry]
    guard !session.grantable(TokenScopes([source])).scopes.isEmpty else { return false }
    // Both fields always, and no host in `from`: Quay and zot refuse one alone, Docker Hub another origin.
    let request = try uploadRequest(
      descriptor, [("mount", "\(descriptor.digest)"), ("from", path)], scopes: [source])
    let response: RegistryResponse
    do { response = try await transport.exchange(request) } catch let failure as TransferFailure {
      try Task.checkCancellation()
      reporter.detail("\(failure.url): \(failure.fault.text); sending the blob instead")
      return false
    }
    switch response.status {
    case 201:
      if let other = response.otherDigest(than: descriptor.digest) {
        throw transport.failure(
          .digestMismatch(expected: descriptor.digest, found: other), request, at: response.url)
      }
      memory.add(place(of: descriptor))
      if let spare = memory.takeSession(for: place(of: descriptor)) {
        await transport.close(spare)
      }
      return true
    case 202:
      do {
        let opened = try UploadSession(response, in: self)
        if let spare = memory.keep(opened, for: place(of: descriptor)) {
          await transport.close(spare)
        }
      } catch let error as UploadLocationError where error.isNowhere {
        reporter.detail("\(error)")
      }
      return false
    default:
      reporter.detail("\(response.url): not mounted from \(path); sending the blob instead")
      return false
    }
  }
}
