import Bindings

/// Where a service listens: an `http` or `https` URL in the one spelling that nobody reads in two ways.
struct AWSEndpoint: Sendable, Hashable, CustomStringConvertible {
  let isSecure: Bool
  /// Lower case; an IPv6 address stands without brackets.
  let host: String
  /// `nil` where it is the scheme's own.
  let port: Int?
  /// Path and query as they are sent; begins with a slash.
  let target: String

  /// A service of AWS, over TLS.
  init(host: String) {
    isSecure = true
    self.host = host
    port = nil
    target = "/"
  }

  /// `nil` for everything that has user information, a fragment, characters that should be escaped, or a
  /// host that is neither name nor address.
  init?(_ text: String) {
    let schemes = [("https://", true, 443), ("http://", false, 80)]
    guard let (scheme, isSecure, standardPort) = schemes.first(where: { text.hasPrefix($0.0) }),
      text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !#"\"<>^`{|}@#"#.utf8.contains($0) })
    else { return nil }
    let rest = text.dropFirst(scheme.count)
    let end = rest.firstIndex { "/?".contains($0) } ?? rest.endIndex
    guard let (host, port) = Self.split(rest[..<end]) else { return nil }
    self.isSecure = isSecure
    self.host = host.lowercased()
    self.port = port == standardPort ? nil : port
    let target = String(rest[end...])
    self.target = target.hasPrefix("/") ? target : "/" + target
  }

  /// Host and port as a `Host` header has them.
  var authority: String {
    (host.contains(":") ? "[\(host)]" : host) + (port.map { ":\($0)" } ?? "")
  }

  var url: String { "\(isSecure ? "https" : "http")://\(authority)\(target)" }

  /// For people, without the query.
  var description: String {
    "\(isSecure ? "https" : "http")://\(authority)\(target.prefix { $0 != "?" })"
  }

  var isLoopback: Bool { IPAddress(host)?.isLoopback ?? (host == "localhost") }

  private static func split(_ authority: Substring) -> (host: String, port: Int?)? {
    let host: Substring, rest: Substring
    if authority.hasPrefix("[") {
      guard let close = authority.firstIndex(of: "]") else { return nil }
      host = authority[authority.index(after: authority.startIndex)..<close]
      rest = authority[authority.index(after: close)...]
      guard host.contains(":"), IPAddress(String(host)) != nil else { return nil }
    } else {
      host = authority.prefix { $0 != ":" }
      rest = authority[host.endIndex...]
      guard isHost(String(host)) else { return nil }
    }
    if rest.isEmpty { return (String(host), nil) }
    guard rest.hasPrefix(":"), rest.dropFirst().allSatisfy(\.isNumber),
      let port = Int(rest.dropFirst()), (1...65535).contains(port)
    else { return nil }
    return (String(host), port)
  }

  private static func isHost(_ host: String) -> Bool {
    if IPAddress(host) != nil { return true }
    // `127.1` and `0x7f.1` are addresses to a resolver: a name that ends in a number is not a name.
    guard let last = host.split(separator: ".").last, last.first?.isNumber == false else {
      return false
    }
    return host.utf8.count <= 253
      && host.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) }
  }
}
