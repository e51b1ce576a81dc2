import Credentials
import OCISpec
package import Reporting

/// What a token service answers: https://distribution.github.io/distribution/spec/auth/token/.
struct TokenResponse: Sendable, Equatable {
  let token: Secret
  /// How long the token is good, from the moment it came: the service's clock (`issued_at`) may be wrong.
  let lifetime: Duration

  static let byteLimit = 128 << 10

  /// When to get another one, counted from the moment this one came: before the last tenth of its life, and at
  /// least five seconds before its end.
  var renewalAge: Duration { lifetime - max(.seconds(5), lifetime / 10) }

  init(parsing body: [UInt8]) throws(TokenResponseError) {
    guard body.count <= Self.byteLimit else { throw TokenResponseError.tooLarge }
    guard let document = try? JSON(parsing: body), document.objectValue != nil else {
      throw TokenResponseError.notAnObject
    }
    let tokens = ["token", "access_token"].compactMap { document[$0]?.stringValue }
    guard let text = tokens.first(where: { !$0.isEmpty }) else { throw TokenResponseError.noToken }
    token = try Self.secret(text)
    lifetime = .seconds(Self.lifetime(document["expires_in"]))
  }

  /// A minute, as the specification has it, where the answer says nothing, nonsense or less; a day at most.
  private static func lifetime(_ value: JSON?) -> Int64 {
    let seconds: Double? =
      switch value {
      case .integer(let number): Double(number)
      case .decimal(let text), .string(let text): Double(text)
      default: nil
      }
    guard let seconds, seconds > 60 else { return 60 }
    return seconds < 86_400 ? Int64(seconds) : 86_400
  }

  /// A header carries it, so what could end the header's line is refused.
  private static func secret(_ text: String) throws(TokenResponseError) -> Secret {
    guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw TokenResponseError.unusableToken
    }
    return Secret(text)
  }
}

/// Why an answer holds no token; never with anything of the answer.
package enum TokenResponseError: Failure, CaseIterable {
  case tooLarge, notAnObject, noToken, unusableToken

  package var kind: FailureKind { .protocolBroken }

  package var description: String {
    switch self {
    case .tooLarge: "the token service's answer has more than \(TokenResponse.byteLimit) bytes"
    case .notAnObject: "expected a JSON object from the token service, found something else"
    case .noToken: "the token service's answer has neither \"token\" nor \"access_token\""
    case .unusableToken:
      "the token service's answer has a token with characters that no header can carry"
    }
  }
}
