import OCISpec

/// What a file says under one key of `auths`.
struct CredentialEntry {
  private let members: JSONObject

  init?(_ members: JSONObject?) {
    guard let members else { return nil }
    self.members = members
  }

  private func text(_ member: String) -> String? {
    guard let text = members[member]?.stringValue, !text.isEmpty else { return nil }
    return text
  }

  /// Whether it is only the mark that docker leaves for "a helper has it".
  var isEmpty: Bool {
    ["auth", "username", "password", "identitytoken", "registrytoken"].allSatisfy {
      text($0) == nil
    }
  }

  /// The credential; `nil` where there is none.
  ///
  /// - Parameters:
  ///   - file, key: for errors, which never show the value.
  func credential(file: String, key: String) throws(CredentialError) -> Credential? {
    func checked(_ secret: String, _ member: String) throws(CredentialError) -> Secret {
      guard !secret.hasControls else {
        throw .malformedEntry(file, key: key, .controls(in: member))
      }
      return Secret(secret)
    }
    if let token = text("registrytoken") {
      return .registryToken(try checked(token, "registrytoken"))
    }
    var user = text("username"), password = text("password")
    if let auth = text("auth") {
      let pair = try Self.decode(auth, file: file, key: key)
      (user, password) = (pair.user, pair.password)
    }
    if let user { _ = try checked(user, "username") }
    if let token = text("identitytoken") {
      return .identityToken(
        user: user?.isEmpty == false ? user : nil, try checked(token, "identitytoken"))
    }
    guard user?.isEmpty == false || password?.isEmpty == false else { return nil }
    guard let user, !user.isEmpty else { throw .malformedEntry(file, key: key, .noUser) }
    let secret = Secret(password ?? "")
    guard secret.isPassword(of: user) else {
      // What `echo user:password | base64` makes, and no registry accepts.
      let isFromEcho = text("auth") != nil && password?.last?.isNewline == true
      throw .malformedEntry(file, key: key, isFromEcho ? .lineBreak : .controlsInPassword)
    }
    return .basic(user: user, password: secret)
  }

  private static func decode(
    _ auth: String, file: String, key: String
  ) throws(CredentialError) -> (user: String, password: String) {
    guard var bytes = decodedLooseBase64(auth) else {
      throw .malformedEntry(file, key: key, .notBase64)
    }
    // docker pads with them: https://github.com/docker/cli/blob/master/cli/config/configfile/file.go
    while bytes.last == 0 { bytes.removeLast() }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .malformedEntry(file, key: key, .notText)
    }
    guard let colon = text.unicodeScalars.firstIndex(of: ":") else {
      throw .malformedEntry(file, key: key, .noColon)
    }
    let password = String(text.unicodeScalars[text.unicodeScalars.index(after: colon)...])
    return (String(text.unicodeScalars[..<colon]), password)
  }
}
