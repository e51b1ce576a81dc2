import OCISpec

/// What decides how registries are spoken to, beside the network's settings.
package struct RegistrySettings: Sendable {
  package var network: NetworkSettings
  /// `HOST[:PORT]` of those that speak plain http on purpose: `--plain-http`. A host without a port is port 80.
  ///
  /// It does not say that a password may be read on the way: ``allowsPlaintextCredentials`` does. A registry
  /// beside a build that asks nobody who he is needs the first only.
  package var plainHTTP: Set<String> = []
  /// `--tls-verify=false`: certificates of the registries themselves are not looked at. Those of token services
  /// and of redirect targets on other hosts are.
  package var verifiesCertificates = true
  package var allowsPlaintextCredentials = false
  /// Whether a registry with a public address may redirect to a private one.
  package var allowsPrivateRedirects = false
  /// For a token service's whole answer.
  package var tokenTimeout = Duration.seconds(30)

  package init(network: NetworkSettings) { self.network = network }

  func speaksPlainHTTP(_ registry: Registry) -> Bool {
    plainHTTP.contains { text in
      guard let named = try? Registry(parsing: text) else { return false }
      return named.host == registry.host && (named.port ?? 80) == (registry.port ?? 80)
    }
  }
}
