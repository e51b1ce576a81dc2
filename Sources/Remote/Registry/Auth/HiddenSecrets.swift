import AsyncHTTPClient
import Credentials
import OCISpec

extension Credential {
  /// The secret as it is sent, in every way that there is.
  var shownTexts: [String] {
    switch self {
    case .basic(let user, let password):
      [password.reveal(), Self.basic(user: user, password)]
    case .identityToken(let user, let token):
      [token.reveal()] + (user.map { [Self.basic(user: $0, token)] } ?? [])
    case .registryToken(let token): [token.reveal()]
    }
  }

  private static func basic(user: String, _ password: Secret) -> String {
    let value = HTTPClient.Authorization.basic(username: user, password: password.reveal())
      .headerValue
    return String(value.dropFirst("Basic ".count))
  }
}

extension String {
  /// The text with `…` for each of the secrets. Very short ones stay: without them the text would say nothing.
  func hiding(_ secrets: [String]) -> String {
    secrets.filter { $0.utf8.count >= 4 }.reduce(self) { $0.replacing($1, with: "…") }
  }
}

extension RegistryFailure.Problem {
  /// The same without secrets in what the far side says.
  func hiding(_ secrets: [String]) -> Self {
    switch self {
    case .status(let code, let messages): .status(code, messages.map { $0.hiding(secrets) })
    case .denied(let code, let messages, let source):
      .denied(status: code, messages.map { $0.hiding(secrets) }, source: source)
    case .protocolBroken(let text): .protocolBroken(text.hiding(secrets))
    default: self
    }
  }
}

extension RegistryMessage {
  fileprivate func hiding(_ secrets: [String]) -> Self {
    Self(
      code: code.hiding(secrets), message: message.hiding(secrets),
      detail: detail?.hiding(secrets))
  }
}
