import Bindings
import Reporting

extension FetchError {
  package var description: String {
    switch self {
    case .malformedURL(let text, let problem): "not a usable URL: \(text.quoted): \(problem.text)"
    case .unpinnedPlainHTTP(let url):
      "fetching \(url): plain http needs a sha256 to check what comes; give one, or use https"
    case .unsupportedDigest(let digest):
      "checking \(digest): downloads are checked with sha256 only"
    case .offline(let url):
      "fetching \(url): not in the cache, and --offline forbids the network; run once without --offline"
    case .redirectRefused(let url, let next, let problem):
      "redirect from \(url)\(next.map { " to \($0)" } ?? "") refused: \(problem.text)"
    case .failed(let url, let last, let fault, let attempts):
      "fetching \(url)\(url == last ? "" : " (redirected to \(last))"): \(fault.text)"
        + (attempts > 1 ? "; gave up after \(attempts) attempts" : "")
    case .askedToWait(let url, let status, let wait):
      "fetching \(url): status \(status), and the server asks to wait \(wait.components.seconds) s; try again then"
    case .digestMismatch(let url, let expected, let found, let byteCount, let encoding):
      "digest mismatch: fetching \(url): expected \(expected), got \(found) after \(byteCount) bytes"
        + (encoding.map { "; the server sent it with content encoding \($0.quoted)" } ?? "")
        + "; the publisher changed the file, or someone on the way did"
    case .tooLarge(let url, let limit):
      "fetching \(url): more than \(readable(byteCount: limit)), the limit for a download"
    case .unusableProxy(let variable, let problem):
      "reading the proxy from \(variable): expected http://host:port or http://user:password@host:port; \(problem.text)"
    case .noTrustStore(let looked):
      "reading the certificate authorities: there are none"
        + (looked.isEmpty ? "" : " in \(looked.map(\.quoted).joined(separator: ", "))")
        + "; install ca-certificates, or set SSL_CERT_FILE to a PEM bundle"
    case .unusableTrust(let source, let problem):
      "reading the certificate authorities in \(source.description.quoted)\(source.variable.map { " (from \($0))" } ?? ""): \(problem.text(source))"
    case .partialNotAFile(let path, let kind):
      "writing \(path.quoted): expected a regular file, found \(kind.text) that is not of ociforge's making; remove that path"
    }
  }
}

extension URLProblem {
  var text: String {
    switch self {
    case .scheme: "expected it to begin with https:// (or http://)"
    case .host: "expected a host name or an address after the scheme, non-ASCII names in punycode"
    case .port: "expected a port from 1 to 65535"
    case .controlCharacter: "it has a control character"
    }
  }
}

extension ProxyProblem {
  var text: String {
    switch self {
    case .scheme: "proxies that speak TLS or SOCKS themselves are not supported"
    case .notOnlyOrigin:
      "it goes on after that; in user and password write / ? # and \\ as %2F %3F %23 and %5C"
    case .url(.host): "its host is no name and no address"
    case .url(.port): "its port is not from 1 to 65535"
    case .url(.scheme), .url(.controlCharacter): "it has characters that no URL has"
    }
  }
}

extension TrustProblem {
  func text(_ source: TrustStore.Source) -> String {
    let expected = source.isDirectory ? "a folder of PEM files" : "a PEM bundle"
    return switch self {
    case .missing: "expected \(expected), found nothing there"
    case .otherKind(let kind): "expected \(expected), found \(kind.text)"
    case .unreadable(let reason): "\(reason)"
    case .noCertificates: "expected PEM certificates, found none"
    case .noKey: "expected a private key in PEM, found none that is not encrypted"
    case .noPartner(let name): "expected \(name.quoted) beside it, found none"
    }
  }
}

extension FileStatus.Kind {
  var text: String {
    switch self {
    case .file: "a file"
    case .directory: "a folder"
    case .symlink: "a symlink"
    case .fifo: "a named pipe"
    case .socket: "a socket"
    case .characterDevice, .blockDevice: "a device"
    }
  }
}

extension RedirectProblem {
  var text: String {
    switch self {
    case .unusable(let text, let problem): "its location \(text.quoted): \(problem.text)"
    case .noLocation: "it says no location"
    case .tooMany(let limit): "more than \(limit) in a row"
    case .loop: "it goes in a circle"
    case .toPlainHTTP: "it leads from https to plain http"
    case .toLocalAddress:
      "it leads from elsewhere to an address of this machine or its network link"
    case .toPrivateAddress:
      "it leads from a public registry to a private address; where that is meant, --allow-private-redirects"
    case .elsewhere: "it leads to another server, and what is sent is not for that one"
    case .notRepeatable(let status, let method):
      "status \(status) would turn a \(method) into something else"
    }
  }
}

extension TransferFault {
  var text: String {
    switch self {
    case .status(404, _): "status 404: there is no such file; check the URL and the version in it"
    case .status(410, _): "status 410: the file was taken down"
    case .status(407, _), .proxyWantsAuthentication:
      "the proxy wants a user and a password (407); write them as http://user:password@host:port in HTTPS_PROXY or HTTP_PROXY"
    case .status(let code, _): "status \(code)"
    case .hostNotFound(let host):
      "no such host \(host.quoted); check the URL, the resolver, and whether HTTPS_PROXY must be set"
    case .lookupFailed(let reason): "looking up the host: \(reason.printable)"
    case .connectionFailed(let reason): "connecting: \(reason.printable)"
    case .proxyUnreachable(let proxy, let fault):
      "connecting to the proxy \(proxy): \(fault.reason)"
    case .certificateForOthers(let host):
      "the server's certificate is not for \(host.quoted); check the URL, and what answers at that address"
    case .certificateRejected(let reason):
      "the server's certificate is refused: \(reason.printable); where a private authority signs, set SSL_CERT_FILE to a PEM bundle with its certificate"
    case .tlsFailed(let reason): "TLS handshake: \(reason.printable)"
    case .cutOff(let reason): "cut off: \(reason.printable)"
    case .stalled: "stalled: nothing came for too long"
    case .proxyRefused: "the proxy did not connect us to the server"
    case .malformedResponse(let reason): "the answer makes no sense: \(reason.printable)"
    }
  }

  /// Why something cannot be reached, without what.
  private var reason: String {
    switch self {
    case .connectionFailed(let reason), .lookupFailed(let reason): reason.printable
    case .hostNotFound: "no such host"
    default: text
    }
  }
}
