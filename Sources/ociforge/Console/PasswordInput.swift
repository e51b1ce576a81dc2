import Bindings
import Credentials
import OCISpec
import Reporting
import SystemPackage

/// Where a password comes from: never from the command line, which other users of a machine can read.
enum PasswordInput {
  /// All of stdin; one line break at its end does not count.
  static func standardInput(user: String) throws -> Secret {
    var password = try allOfStandardInput()
    // Swift holds "\r\n" for one character.
    if password.last?.isNewline == true { password.removeLast() }
    return try checked(password, of: user)
  }

  /// Asks the person at the terminal, without showing what is typed.
  static func terminal(user: String, _ registry: Registry) throws -> Secret {
    guard ProcessState.isTerminal(0) else { throw LoginError.noPassword }
    let prompt = "password of \(user.quoted) at \(registry): "
    return try checked(TerminalInput.secretLine(prompt: prompt), of: user)
  }

  private static func checked(_ password: String, of user: String) throws -> Secret {
    guard !password.isEmpty else { throw LoginError.emptyPassword }
    let secret = Secret(password)
    guard secret.isPassword(of: user) else { throw LoginError.malformedPassword }
    return secret
  }

  /// More is no password.
  private static let passwordByteLimit = 64 << 10

  private static func allOfStandardInput() throws -> String {
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: passwordByteLimit, alignment: 1)
    defer { buffer.deallocate() }
    var bytes: [UInt8] = []
    while true {
      let count = try FileSystem.read(.standardInput, into: buffer, path: "standard input")
      if count == 0 { break }
      bytes += buffer.prefix(count)
      guard bytes.count <= passwordByteLimit else { throw LoginError.malformedPassword }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw LoginError.malformedPassword
    }
    return text
  }
}

/// Why there is nothing to store.
enum LoginError: Failure {
  case malformedUser
  case noPassword
  case emptyPassword
  case malformedPassword

  var kind: FailureKind { .usage }

  var description: String {
    switch self {
    case .malformedUser:
      "expected a user's name without colons and control characters in --username"
    case .noPassword:
      "no password: stdin is no terminal to ask at; give it there with --password-stdin"
    case .emptyPassword: "expected a password, got an empty one"
    case .malformedPassword:
      "expected a password of one line of UTF-8 with at most 65,536 bytes"
    }
  }
}
