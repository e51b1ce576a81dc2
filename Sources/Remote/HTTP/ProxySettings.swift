package import Bindings

/// The proxy that the environment asks for, with the rules of Go's `httpproxy`, which most tools in a
/// pipeline follow: `HTTPS_PROXY` for https, `HTTP_PROXY` for http, `NO_PROXY` for exceptions, each also in
/// lower case, upper case first. Loopback is never proxied.
package struct ProxySettings: Sendable, Equatable {
  private let httpProxy: Setting?
  private let httpsProxy: Setting?
  package var exceptions: [ProxyException]
  /// For tests, whose servers are all on loopback.
  package var sparesLoopback = true

  /// A value as it stands in the environment: not parsed, so that only its use can fail.
  private struct Setting: Sendable, Equatable {
    let variable: String
    let text: String
  }

  package init(environment: (String) -> String?) {
    func first(_ names: String...) -> Setting? {
      for name in names {
        if let text = environment(name), !text.isEmpty {
          return Setting(variable: name, text: text)
        }
      }
      return nil
    }
    // In a CGI program HTTP_PROXY comes from the request's `Proxy` header: https://httpoxy.org
    httpProxy =
      first("REQUEST_METHOD") == nil ? first("HTTP_PROXY", "http_proxy") : first("http_proxy")
    httpsProxy = first("HTTPS_PROXY", "https_proxy")
    exceptions = (first("NO_PROXY", "no_proxy")?.text ?? "").split(separator: ",").compactMap {
      ProxyException($0)
    }
  }

  /// The proxy for a URL, or `nil` for a direct connection.
  package func proxy(for url: RemoteURL) throws(FetchError) -> Proxy? {
    guard let setting = url.scheme == .https ? httpsProxy : httpProxy else { return nil }
    let address = IPAddress(url.host)
    if sparesLoopback && (url.isLocalhost || address?.isLoopback == true) { return nil }
    if exceptions.contains(where: { $0.matches(url, address: address) }) { return nil }
    return try Proxy(parsing: setting.text, from: setting.variable)
  }
}

/// One item of `NO_PROXY`: `*`, an address, a subnet, `example.com` (it and what is below it) or
/// `.example.com` (only what is below it); all but subnets with an optional `:port`.
package enum ProxyException: Sendable, Equatable {
  case everything
  case subnet(Subnet)
  case address(IPAddress, port: Int?)
  /// `suffix` begins with a dot.
  case domain(suffix: String, includesItself: Bool, port: Int?)

  package init?(_ text: Substring) {
    let item = text.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
      .lowercased()
    if item == "*" {
      self = .everything
    } else if let subnet = Subnet(item) {
      self = .subnet(subnet)
    } else if let address = IPAddress(item) {
      self = .address(address, port: nil)
    } else {
      guard let (host, portText) = splitHostAndPort(item) else { return nil }
      let port = Int(portText)
      guard portText.isEmpty || port != nil else { return nil }
      if let address = IPAddress(host) {
        self = .address(address, port: port)
      } else {
        let name = host.hasPrefix("*.") ? host.dropFirst() : host[...]
        self =
          name.hasPrefix(".")
          ? .domain(suffix: String(name), includesItself: false, port: port)
          : .domain(suffix: "." + name, includesItself: true, port: port)
      }
    }
  }

  func matches(_ url: RemoteURL, address: IPAddress?) -> Bool {
    switch self {
    case .everything: true
    case .subnet(let subnet): address.map(subnet.contains) ?? false
    case .address(let own, let port): own == address && (port ?? url.port) == url.port
    case .domain(let suffix, let includesItself, let port):
      (url.host.hasSuffix(suffix) || (includesItself && "." + url.host == suffix))
        && (port ?? url.port) == url.port
    }
  }
}
