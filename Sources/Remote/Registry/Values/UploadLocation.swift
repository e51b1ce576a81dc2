import Bindings
import OCISpec
package import Reporting

/// Where a registry wants the bytes of a blob: the `Location` of an answer in an upload, distribution-spec,
/// "POST then PUT".
enum UploadLocation: Sendable, Equatable {
  case sameOrigin(RemoteURL)
  /// Another server: what the registry is shown is not for it.
  case otherOrigin(RemoteURL)
  /// The registry's own, named with plain http by a registry that does not know that a proxy speaks TLS for it.
  /// The URL says https; worth a warning.
  case rewritten(RemoteURL)

  /// - Parameters:
  ///   - location: the field's value.
  ///   - request: the URL that answered, after redirects.
  ///   - allowsPrivate: whether another server may have a private address (RFC 1918, RFC 4193) though the
  ///     registry's name tells nothing of one. Loopback and link-local addresses are never allowed.
  init(
    _ location: String?, from request: RemoteURL, allowsPrivate: Bool = false
  ) throws(UploadLocationError) {
    guard let location, !location.isEmpty else { throw UploadLocationError.missing(request) }
    let url: RemoteURL
    do { url = try request.resolving(location) } catch {
      throw UploadLocationError.unusable(request, location: RemoteURL.redact(location))
    }
    let absolute = location.hasPrefix("//") ? "\(request.scheme.rawValue):\(location)" : location
    if (try? RemoteURL(parsing: absolute))?.credentials != nil {
      throw UploadLocationError.userInformation(request, location: url)
    }
    if url.hasOrigin(of: request) {
      self = .sameOrigin(url)
    } else if let secured = url.secured(like: request) {
      self = .rewritten(secured)
    } else if url.scheme == .http && !(request.scheme == .http && request.isLocal && url.isLocal) {
      throw UploadLocationError.insecure(request, location: url)
    } else if url.isLocal && !url.isBeside(request)
      || url.isPrivate && !(request.isPrivate || request.isLocal || allowsPrivate)
    {
      throw UploadLocationError.notPublic(request, location: url)
    } else {
      self = .otherOrigin(url)
    }
  }

  var url: RemoteURL {
    switch self {
    case .sameOrigin(let url), .otherOrigin(let url), .rewritten(let url): url
    }
  }

  /// The URL that closes the upload: with the digest behind whatever query there is, which stays byte for byte.
  func closing(with digest: Digest) -> RemoteURL {
    url.appending(query: "digest=\(digest.algorithm.rawValue)%3A\(digest.hex)")
  }
}

extension RemoteURL {
  /// The same URL with the scheme and port of `other`, where only those differ and `other` is https.
  fileprivate func secured(like other: RemoteURL) -> RemoteURL? {
    guard scheme == .http, other.scheme == .https, host == other.host else { return nil }
    guard port == other.port || (port == 80 && other.port == 443) else { return nil }
    return try? RemoteURL(parsing: other.origin + target)
  }

  fileprivate var isPrivate: Bool { IPAddress(host)?.isPrivate ?? false }
}

/// Why the place that a registry names for an upload is not used. URLs print without query and user.
package enum UploadLocationError: Failure, Equatable {
  case missing(RemoteURL)
  case unusable(RemoteURL, location: String)
  case userInformation(RemoteURL, location: RemoteURL)
  case insecure(RemoteURL, location: RemoteURL)
  case notPublic(RemoteURL, location: RemoteURL)

  package var kind: FailureKind { .protocolBroken }

  package var description: String {
    switch self {
    case .missing(let request):
      "uploading to \(request): expected the answer to say where the bytes go (Location), found nothing"
    case .unusable(let request, let location):
      "uploading to \(request): expected a URL to send the bytes to (Location), got \(location.quoted)"
    case .userInformation(let request, let location):
      "uploading to \(request): refused to go on at \(location): the URL brings a user of its own"
    case .insecure(let request, let location):
      "uploading to \(request): refused to go on at \(location): that is plain http"
    case .notPublic(let request, let location):
      "uploading to \(request): refused to go on at \(location): its address is not a public one, and the registry's is"
    }
  }
}
