/// Which redirects are followed.
package struct RedirectPolicy: Sendable, Equatable {
  package var limit = 10

  package init() {}

  /// The statuses that send a GET elsewhere; 304 and 305 do not.
  package static func isRedirect(_ status: Int) -> Bool {
    [301, 302, 303, 307, 308].contains(status)
  }

  /// Where a redirect leads.
  /// - Parameter visited: the URLs so far, the one that was asked for first, the one that answered last.
  package func next(
    after visited: [RemoteURL], location: String?
  ) throws(FetchError) -> RemoteURL {
    guard let first = visited.first, let current = visited.last else {
      preconditionFailure("a redirect answers a request")
    }
    guard let location else { throw FetchError.redirectRefused(current, to: nil, .noLocation) }
    let next: RemoteURL
    do { next = try current.resolving(location) } catch {
      guard case .malformedURL(let text, let problem) = error else { throw error }
      throw FetchError.redirectRefused(current, to: nil, .unusable(text, problem))
    }
    let problem: RedirectProblem? =
      if visited.count > limit {
        .tooMany(limit)
      } else if current.scheme == .https && next.scheme == .http {
        .toPlainHTTP
      } else if next.isLocal && !next.isBeside(first) {
        .toLocalAddress
      } else if visited.contains(next) {
        .loop
      } else {
        nil
      }
    if let problem { throw FetchError.redirectRefused(current, to: next, problem) }
    return next
  }
}

package enum RedirectProblem: Sendable, Equatable {
  case noLocation
  /// The location, without what may be a secret in it, is no URL to fetch.
  case unusable(String, URLProblem)
  case tooMany(Int)
  case loop
  case toPlainHTTP
  case toLocalAddress
  case toPrivateAddress
  /// Another origin, where the request holds what only the first may see.
  case elsewhere
  /// Only 307 and 308 keep the method.
  case notRepeatable(status: Int, method: String)
}
