import Bindings
import OCISpec
import Reporting

/// Where a registry sends its clients for tokens. It chooses the place, and we bring a password there: registry.md,
/// C.1; https://github.com/google/go-containerregistry/pull/2258.
enum Realm {
  enum Problem: Error, Equatable {
    case unusable(String, URLProblem)
    case plainHTTP(RemoteURL)
    case userInformation(RemoteURL)
    case localAddress(RemoteURL)

    var text: String {
      switch self {
      case .unusable(let text, let problem): "its token service \(text.quoted): \(problem.text)"
      case .plainHTTP(let url): "its token service \(url) speaks plain http, the registry https"
      case .userInformation(let url): "its token service \(url) has a user in its URL"
      case .localAddress(let url):
        "its token service \(url) is at a private address or one of this machine, the registry elsewhere"
      }
    }
  }

  /// - Parameter registry: a URL of the registry, which a relative realm is relative to.
  static func url(_ text: String, of registry: RemoteURL) throws(Problem) -> RemoteURL {
    let url: RemoteURL
    do { url = try registry.resolving(text) } catch {
      guard case .malformedURL(let text, let problem) = error else {
        throw Problem.unusable("", .scheme)
      }
      throw Problem.unusable(text, problem)
    }
    if (try? RemoteURL(parsing: text))?.credentials != nil { throw Problem.userInformation(url) }
    if url.scheme == .http && registry.scheme == .https { throw Problem.plainHTTP(url) }
    if (url.isLocal || url.hasPrivateAddress) && !url.isBeside(registry) {
      throw Problem.localAddress(url)
    }
    return url
  }
}

extension RemoteURL {
  /// Whether the host is an address of somebody's own network.
  var hasPrivateAddress: Bool { IPAddress(host)?.isPrivate == true }
}
