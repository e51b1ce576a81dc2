import NIOHTTP1
import OCISpec
import Reporting

extension RepositoryClient {
  /// Reads a list whose pages name the next one: registry.md, B.8. That a page is short says nothing; only a link
  /// does.
  /// - Parameters:
  ///   - first: the answer to `request`.
  ///   - read: returns whether more is wanted.
  /// - Throws: ``RegistryFailure`` where the list leads to another host, or does not end.
  func eachPage(
    of request: RegistryRequest, first: RegistryResponse,
    _ read: (RegistryResponse) throws -> Bool
  ) async throws {
    var response = first
    var visited: Set<RemoteURL> = [request.url]
    while true {
      guard try read(response) else { return }
      guard let target = LinkHeader.next(in: response.headers["Link"]) else { return }
      guard let next = try? response.url.resolving(target), next.hasOrigin(of: response.url) else {
        throw transport.failure(
          .protocolBroken(
            "its list goes on at \(RemoteURL.redact(target).quoted), which is not the registry's"),
          request, at: response.url)
      }
      guard visited.insert(next).inserted else {
        return reporter.warn(
          "\(next): the registry's list leads back to itself; it may not be complete")
      }
      guard visited.count <= Self.pageLimit else {
        throw transport.failure(
          .protocolBroken("its list has more than \(Self.pageLimit) pages"), request, at: next)
      }
      var page = request
      page.url = next
      response = try await transport.send(page)
      guard response.status == 200 else { throw transport.failure(of: response, to: page) }
    }
  }

  static let pageLimit = 1_000
}
