import Bindings
import Reporting

/// An absolute `http` or `https` URL that is safe to send: no control characters, no fragment, a host that
/// cannot be mistaken.
///
/// `description` is the redacted form for people: no query, no user information.
package struct RemoteURL: Sendable, Hashable, CustomStringConvertible {
  package enum Scheme: String, Sendable {
    case http, https

    var port: Int { self == .http ? 80 : 443 }
  }

  /// User and password of a URL. Sent to this URL's origin only.
  package struct Credentials: Sendable, Hashable {
    package let user: String
    package let password: String
  }

  package let scheme: Scheme
  /// Lower case; an IPv6 address stands without brackets.
  package let host: String
  package let port: Int
  /// Path and query as they are sent; begins with a slash.
  package let target: String
  package let credentials: Credentials?

  package init(parsing text: String) throws(FetchError) {
    guard let (scheme, rest) = Self.splitScheme(text) else {
      throw FetchError.malformedURL(Self.redact(text), .scheme)
    }
    let end = rest.firstIndex { "/?#\\".contains($0) } ?? rest.endIndex
    let authority = rest[..<end]
    let at = authority.lastIndex(of: "@")
    let hostAndPort = authority[(at.map(authority.index(after:)) ?? authority.startIndex)...]
    guard let (host, port) = splitHostAndPort(String(hostAndPort)), Self.isHost(host) else {
      throw FetchError.malformedURL(Self.redact(text), .host)
    }
    guard let number = port.isEmpty ? scheme.port : Int(port), (1...65535).contains(number) else {
      throw FetchError.malformedURL(Self.redact(text), .port)
    }
    guard let target = Self.sendable(rest[end...].prefix { $0 != "#" }) else {
      throw FetchError.malformedURL(Self.redact(text), .controlCharacter)
    }
    self.init(
      scheme: scheme, host: host.lowercased(), port: number,
      target: target.hasPrefix("/") ? target : "/" + target,
      credentials: at.flatMap { Self.credentials(authority[..<$0]) })
  }

  private init(
    scheme: Scheme, host: String, port: Int, target: String, credentials: Credentials?
  ) {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.target = target
    self.credentials = credentials
  }

  /// The URL that a `Location` means here: RFC 3986, section 5.2. Credentials stay where the origin stays;
  /// those of the location itself are dropped.
  package func resolving(_ location: String) throws(FetchError) -> RemoteURL {
    let found: RemoteURL
    if Self.hasScheme(location) {
      found = try RemoteURL(parsing: location)
    } else if location.hasPrefix("//") {
      found = try RemoteURL(parsing: "\(scheme.rawValue):\(location)")
    } else {
      let path = target.prefix { $0 != "?" }
      let reference = location.prefix { $0 != "#" }
      let merged: String
      if reference.isEmpty {
        merged = target
      } else if reference.hasPrefix("/") {
        merged = String(reference)
      } else if reference.hasPrefix("?") {
        merged = String(path + reference)
      } else {
        let folder = path.prefix(through: path.lastIndex(of: "/") ?? path.startIndex)
        merged = String(folder + reference)
      }
      guard let sendable = Self.sendable(merged[...]) else {
        throw FetchError.malformedURL(Self.redact(location), .controlCharacter)
      }
      let query = sendable.firstIndex(of: "?") ?? sendable.endIndex
      found = RemoteURL(
        scheme: scheme, host: host, port: port,
        target: Self.removingDots(sendable[..<query]) + sendable[query...], credentials: nil)
    }
    return RemoteURL(
      scheme: found.scheme, host: found.host, port: found.port, target: found.target,
      credentials: found.hasOrigin(of: self) ? credentials : nil)
  }

  /// The URL with `query`, which must be fit to be sent as it is, behind the query that it has.
  package func appending(query: String) -> RemoteURL {
    let old = target.firstIndex(of: "?").map { target[target.index(after: $0)...] }
    let separator = old.map { $0.isEmpty ? "" : "&" } ?? "?"
    return RemoteURL(
      scheme: scheme, host: host, port: port, target: target + separator + query,
      credentials: credentials)
  }

  package func hasOrigin(of other: RemoteURL) -> Bool {
    (scheme, host, port) == (other.scheme, other.host, other.port)
  }

  /// What is sent: all but the credentials. Not for people, as a query may hold a secret.
  package var requestText: String { origin + target }

  package var description: String { "\(origin)\(target.prefix { $0 != "?" })".printable }

  /// The path's last part, for a progress bar.
  package var fileName: String {
    let name = target.prefix { $0 != "?" }.split(separator: "/").last
    return name.map { String($0).printable } ?? host
  }

  /// Whether the host is this machine, its link, or a cloud's metadata service, as far as the text tells.
  package var isLocal: Bool {
    IPAddress(host)?.isLocal ?? (isLocalhost || name == "metadata.google.internal")
  }

  /// Whether what is sent there does not leave this machine.
  var isLoopback: Bool { isLocalhost || IPAddress(host)?.isLoopback == true }

  /// Whether the other URL's host may name this one though it is local: they are one machine. A registry behind a
  /// forwarded port is on loopback by its name only, so it gets no further than to loopback.
  func isBeside(_ other: RemoteURL) -> Bool {
    host == other.host || (isLoopback && other.isLoopback)
  }

  /// Whether the host is a name that means this machine: RFC 6761 and Debian's `/etc/hosts`.
  package var isLocalhost: Bool {
    let own = ["localhost", "localhost6", "ip6-localhost", "ip6-loopback", "localhost.localdomain"]
    return own.contains(String(name)) || name.hasSuffix(".localhost")
  }

  /// The host without the dot that only says that the name is complete.
  private var name: Substring { host.hasSuffix(".") ? host.dropLast() : host[...] }

  /// Host and port as a `Host` header has them.
  var authority: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return name + (port == scheme.port ? "" : ":\(port)")
  }

  var origin: String { "\(scheme.rawValue)://\(authority)" }

  /// Any text that may be a URL without what may be a secret in it. Where characters that a password should
  /// have escaped make several readings possible, the one that shows least counts.
  package static func redact(_ text: String) -> String {
    var scheme: Substring = "", rest = text[...]
    if let slashes = text.firstRange(of: "://"),
      text[..<slashes.lowerBound].utf8.allSatisfy({ isLetterOrDigit($0) || "+-.".utf8.contains($0) }
      )
    {
      scheme = text[..<slashes.upperBound]
      rest = text[slashes.upperBound...]
    }
    if let at = rest.lastIndex(of: "@") {
      let before = rest[..<at]
      // Without a colon there is no password, and the sign may be a path's: `https://host/tool@1.2`.
      if before.contains(":") || rest.prefix(while: { !"/?#".contains($0) }).contains("@") {
        if before.contains(where: { "?#".contains($0) }) { return "\(scheme)…".printable }
        rest = rest[rest.index(after: at)...]
      }
    }
    return "\(scheme)\(rest.prefix { $0 != "?" && $0 != "#" })".printable
  }
}

extension RemoteURL {
  private static func splitScheme(_ text: String) -> (Scheme, Substring)? {
    guard let slashes = text.firstRange(of: "://"),
      let scheme = Scheme(rawValue: text[..<slashes.lowerBound].lowercased())
    else { return nil }
    return (scheme, text[slashes.upperBound...])
  }

  private static func hasScheme(_ text: String) -> Bool {
    let end = text.firstIndex { ":/?#".contains($0) }
    return end.map { text[$0] == ":" } ?? false
  }

  private static func isHost(_ host: String) -> Bool {
    if IPAddress(host) != nil { return true }
    let isName = host.utf8.allSatisfy { byte in
      isLetterOrDigit(byte) || byte == 0x2D || byte == 0x2E || byte == 0x5F
    }
    // `127.1` and `0x7f.1` are addresses to a resolver: a name that ends in a number is not a name.
    let last = host.split(separator: ".").last ?? ""
    let isNumber = last.utf8.first.map { (0x30...0x39).contains($0) } ?? true
    return isName && !isNumber && host.utf8.count <= 253
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }

  /// The text with every byte that RFC 3986 does not allow percent-encoded; `nil` where there is a control
  /// character.
  private static func sendable(_ text: Substring) -> String? {
    var out = ""
    for byte in text.utf8 {
      switch byte {
      case 0..<0x20, 0x7F: return nil
      case 0x20, 0x22, 0x3C, 0x3E, 0x5C, 0x5E, 0x60, 0x7B...0x7D, 0x80...:
        out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      default: out.unicodeScalars.append(Unicode.Scalar(byte))
      }
    }
    return out
  }

  /// RFC 3986, section 5.2.4.
  private static func removingDots(_ path: Substring) -> String {
    var kept: [Substring] = []
    let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    for part in parts {
      switch part {
      case ".": continue
      case "..": _ = kept.popLast()
      default: kept.append(part)
      }
    }
    let endsInDirectory = parts.last == "." || parts.last == ".."
    return "/" + kept.joined(separator: "/") + (endsInDirectory && !kept.isEmpty ? "/" : "")
  }

  private static func credentials(_ text: Substring) -> Credentials {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    return Credentials(
      user: decoded(parts[0]), password: parts.count > 1 ? decoded(parts[1]) : "")
  }

  private static func decoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte == 0x25, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// `host`, `host:port`, `[address]` or `[address]:port`; the port is empty where there is none.
func splitHostAndPort(_ text: String) -> (host: String, port: String)? {
  if text.hasPrefix("[") {
    guard let close = text.firstIndex(of: "]") else { return nil }
    let host = text[text.index(after: text.startIndex)..<close]
    let rest = text[text.index(after: close)...]
    guard IPAddress(String(host)) != nil, rest.isEmpty || rest.hasPrefix(":") else { return nil }
    return (String(host), String(rest.dropFirst()))
  }
  let parts = text.split(separator: ":", omittingEmptySubsequences: false)
  guard parts.count <= 2, let host = parts.first, !host.isEmpty else { return nil }
  return (String(host), parts.count == 2 ? String(parts[1]) : "")
}
