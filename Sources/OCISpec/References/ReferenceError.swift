package import Reporting

/// Why a text is no reference to an image in a registry; one case for each kind of slip, as each has another
/// way out.
package enum ReferenceError: Failure, Equatable {
  case empty
  /// The scheme alone: what follows may hold a password.
  case scheme(String)
  /// The text does not follow the grammar; it is `…` where it may hold a password.
  case format(String, Part)
  case bareDigest(String)
  /// 64 hexadecimal digits, as docker numbers images on one machine.
  case bareIdentifier(String)
  /// A registry alone.
  case missingRepository(String)
  case uppercase(String)
  case invalidHost(String)
  case invalidIPv6(String)
  case portRange(String)
  case nameTooLong(String, count: Int)
  case digestLength(Digest.Algorithm, found: Int)
  case digestCase(Digest.Algorithm)
  case digestUnsupported(algorithm: String)

  /// The part of a reference that is not as it must be.
  package enum Part: Sendable, Equatable, CaseIterable {
    case character, userInformation, host, address, port, name, path, tag, digest, repository
  }

  package var kind: FailureKind { .usage }

  package var description: String {
    switch self {
    case .empty: "an empty image reference: expected \(Self.form)"
    case .scheme(let scheme):
      "an image reference that starts with \("\(scheme)://".quoted): a reference has no scheme; \(Self.wayOut(scheme))"
    case .format(let text, let part):
      "image reference \(text.quoted): \(Self.expected(part))"
    case .bareDigest(let text):
      "image reference \(text.quoted): a digest needs the name of the image before it, such as \("NAME@\(text)".quoted)"
    case .bareIdentifier(let text):
      "image reference \(text.quoted): 64 hexadecimal digits are no name; for a digest write \("NAME@sha256:\(text)".quoted)"
    case .missingRepository(let registry):
      "image reference \(registry.quoted) names a registry alone; add a repository: \("\(registry)/NAME".quoted)"
    case .uppercase(let path):
      "image reference: repository \(path.quoted) has upper-case letters; write \(path.lowercased().quoted)"
    case .invalidHost(let host):
      "image reference: host \(host.quoted) has an underscore, which host names cannot have"
    case .invalidIPv6(let address):
      "image reference: expected an IPv6 address in the brackets, got \(address.quoted)"
    case .portRange(let port):
      "image reference: expected a port from 1 to 65535, got \(port.quoted)"
    case .nameTooLong(let path, let count):
      "image reference: repository \("\(path.prefix(40))…".quoted) has \(count) characters, and registries take \(Repository.maximumLength)"
    case .digestLength(let algorithm, let found):
      "image reference: expected \(algorithm.hexLength) hexadecimal digits after \("\(algorithm.rawValue):".quoted), got \(found)"
    case .digestCase(let algorithm):
      "image reference: expected lower-case hexadecimal digits after \("\(algorithm.rawValue):".quoted)"
    case .digestUnsupported(let algorithm):
      "image reference: expected a digest by sha256 or sha512, got \(algorithm.quoted)"
    }
  }

  private static let form = "[HOST[:PORT]/]PATH[:TAG][@DIGEST]"

  private static func wayOut(_ scheme: String) -> String {
    switch scheme.lowercased() {
    case "docker", "http", "https", "oci": "write what follows it"
    default: "expected \(form)"
    }
  }

  private static func expected(_ part: Part) -> String {
    switch part {
    case .character:
      "expected \(form) without blanks, control characters, queries and letters beyond ASCII"
    case .userInformation:
      "only a digest such as sha256:… stands after an \"@\"; users and passwords are given to ociforge login"
    case .host:
      "expected a host name of letters, digits, dots and inner hyphens before the first slash"
    case .address:
      "expected HOST:PORT or [ADDRESS]:PORT before the first slash, an IPv6 address in brackets, without a zone and without a dotted tail"
    case .port: "expected digits after the host's colon"
    case .name: "expected a name first, such as NAME:TAG or NAME@sha256:…"
    case .path:
      "expected a path of lower-case letters and digits, with single \".\", \"_\", \"__\" or hyphens between them, in parts that single slashes separate"
    case .tag:
      "expected a tag of at most 128 letters, digits, \"_\", \".\" and \"-\" after the colon, the first no \".\" and no \"-\""
    case .digest: "expected a digest such as sha256:… at the end, after the \"@\" and after any tag"
    case .repository: "expected a repository, HOST/PATH, without a tag and without a digest"
    }
  }
}
