import Reporting

/// A proxy for http and https, which speaks plain http itself, and the variable that named it.
///
/// `description` has no user and no password: `proxy.corp:8080 (from HTTPS_PROXY)`.
package struct Proxy: Sendable, Hashable, CustomStringConvertible {
  package let url: RemoteURL
  package let variable: String

  /// - Parameter text: `host`, `host:port`, or either after `http://` and `user:password@`.
  /// - Throws: ``FetchError/unusableProxy(variable:_:)``, which never repeats the text: it may hold a password.
  package init(parsing text: String, from variable: String) throws(FetchError) {
    let slashes = text.firstRange(of: "://")
    let rest = slashes.map { text[$0.upperBound...] } ?? text[...]
    if let slashes, text[..<slashes.lowerBound].lowercased() != "http" {
      throw FetchError.unusableProxy(variable: variable, .scheme)
    }
    // An unescaped `/` in a password would make a host of the user and a port of the password.
    guard rest.drop(while: { !"/?#\\".contains($0) }).drop(while: { $0 == "/" }).isEmpty else {
      throw FetchError.unusableProxy(variable: variable, .notOnlyOrigin)
    }
    do { url = try RemoteURL(parsing: "http://\(rest)") } catch {
      let problem: ProxyProblem =
        if case .malformedURL(_, let problem) = error { .url(problem) } else { .notOnlyOrigin }
      throw FetchError.unusableProxy(variable: variable, problem)
    }
    self.variable = variable
  }

  package var description: String { "\(url.host.printable):\(url.port) (from \(variable))" }
}

package enum ProxyProblem: Sendable, Equatable {
  /// It is to speak TLS or SOCKS itself.
  case scheme
  /// There is more than scheme, credentials, host and port.
  case notOnlyOrigin
  case url(URLProblem)
}
