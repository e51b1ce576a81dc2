import OCISpec
import Reporting

/// A profile's `credential_process`: a program that prints credentials as JSON. It runs without a shell.
struct CredentialProcess: Sendable {
  let surroundings: AWSSurroundings
  let profile: String

  private static let timeout = Duration.seconds(60)
  private static let outputLimit = 64 << 10

  func run(_ command: String) async throws -> AWSCredentials {
    guard let arguments = Self.words(command), !arguments.isEmpty else {
      throw AWSError.unusableProfile(
        profile,
        problem: "credential_process: expected a program and its arguments with balanced quotes")
    }
    let (status, output) = try await surroundings.run(arguments, Self.timeout)
    guard status == 0 else { throw AWSError.processFailed(profile: profile, status: status) }
    let source = "credential_process of profile \(profile.quoted)"
    guard output.count <= Self.outputLimit, let document = try? JSON(parsing: output) else {
      throw AWSError.malformedCredentials(
        source: source, problem: "expected JSON, found other text")
    }
    guard document["Version"]?.integerValue == 1 else {
      throw AWSError.malformedCredentials(source: source, problem: "expected \"Version\": 1")
    }
    return try AWSCredentials(document, token: "SessionToken", source: source)
  }

  /// The words of a command line as a shell would cut them, with quotes and backslashes and nothing else that
  /// a shell does; `nil` where a quote is left open.
  static func words(_ text: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var rest = text[...]
    while let character = rest.popFirst() {
      switch (character, quote) {
      case ("\\", nil):
        guard let next = rest.popFirst() else { return nil }
        word = (word ?? "") + String(next)
      case ("\\", "\"") where rest.first == "\"" || rest.first == "\\":
        word = (word ?? "") + String(rest.removeFirst())
      case (_, let open?) where character == open: quote = nil
      case ("\"", nil), ("'", nil):
        quote = character
        word = word ?? ""
      case (_, nil) where character.isWhitespace:
        if let done = word { words.append(done) }
        word = nil
      default: word = (word ?? "") + String(character)
      }
    }
    if let done = word { words.append(done) }
    return quote == nil ? words : nil
  }
}

extension AWSCredentials {
  /// Reads the JSON in which programs and metadata services give credentials.
  /// - Parameter token: the key of the session token, which each names otherwise.
  init(_ document: JSON, token: String, source: String) throws(AWSError) {
    guard let id = document["AccessKeyId"]?.stringValue,
      let secret = document["SecretAccessKey"]?.stringValue
    else {
      throw .malformedCredentials(
        source: source, problem: "expected AccessKeyId and SecretAccessKey, found something else")
    }
    var expiration: Int64?
    if let text = document["Expiration"]?.stringValue {
      guard let time = AWSTime.parsing(text) else {
        throw .malformedCredentials(
          source: source, problem: "expected a date as Expiration, found \(text.quoted)")
      }
      expiration = time
    }
    try self.init(
      accessKeyID: id, secretAccessKey: secret, sessionToken: document[token]?.stringValue,
      expiration: expiration, source: source)
  }
}
