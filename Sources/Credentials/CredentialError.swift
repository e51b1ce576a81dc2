package import Reporting

/// Why a source of credentials cannot be asked. Names files, keys and programs, never what they hold.
package enum CredentialError: Failure, Equatable {
  /// A file, or a variable, and what is wrong with its JSON.
  case malformedFile(String, String)
  case wrongType(String, [String], expected: String, found: String)
  case malformedEntry(String, key: String, EntryProblem)
  case helperName(String, file: String, member: String)
  case noHelper(program: String, file: String, member: String)
  case helper(program: String, action: String, server: String, HelperProblem)
  /// A file on its way that somebody else made.
  case foreignDraft(String)
  case noFile

  package enum EntryProblem: Sendable, Equatable, CaseIterable {
    case notBase64, notText, noColon, noUser, lineBreak, controlsInUsername, controlsInPassword,
      controlsInToken

    static func controls(in member: String) -> Self {
      member == "username" ? .controlsInUsername : .controlsInToken
    }
  }

  package enum HelperProblem: Sendable, Equatable {
    /// Its own words, redacted.
    case refused(status: Int32, String)
    case killed(signal: Int32, String)
    case timedOut(seconds: Int64)
    case tooMuchOutput(limit: Int)
    case malformed(String)
  }

  package var kind: FailureKind {
    switch self {
    case .malformedFile, .wrongType, .malformedEntry, .helperName: .data
    case .noHelper, .noFile: .notFound
    case .foreignDraft: .cannotWrite
    case .helper(_, _, _, let problem):
      switch problem {
      case .refused: .denied
      case .killed, .timedOut: .unavailable
      case .tooMuchOutput, .malformed: .protocolBroken
      }
    }
  }

  package var description: String {
    switch self {
    case .malformedFile(let file, let problem): "credentials in \(file.quoted): \(problem)"
    case .wrongType(let file, let path, let expected, let found):
      "credentials in \(file.quoted): expected \(expected)\(path.isEmpty ? "" : " under \(Self.joined(path))"), found \(found)"
    case .malformedEntry(let file, let key, let problem):
      "credentials in \(file.quoted): under \(key.quoted): \(problem.text); mend it, or take it out and log in again"
    case .helperName(let name, let file, let member):
      "credentials in \(file.quoted): \(member.quoted) names the helper \(name.quoted): expected letters, digits, \".\", \"_\" and \"-\", a letter or digit first"
    case .noHelper(let program, let file, let member):
      "credentials in \(file.quoted): \(member.quoted) names the helper \(program.quoted), which is not in PATH; install it, or take it out of the file"
    case .helper(let program, let action, let server, let problem):
      "\(program.printable) \(action) for \(server.quoted): \(problem.text)"
    case .foreignDraft(let path):
      "writing \(path.quoted): it belongs to another user, who could read what is written; remove it"
    case .noFile:
      "no file for credentials, as HOME names no folder; name one with --authfile"
    }
  }

  private static func joined(_ path: [String]) -> String {
    path.map(\.quoted).joined(separator: ", ")
  }
}

extension CredentialError.EntryProblem {
  fileprivate var text: String {
    switch self {
    case .notBase64: "expected \"auth\" to be base64 of USER:PASSWORD, found what is no base64"
    case .notText: "expected \"auth\" to be base64 of USER:PASSWORD, found bytes that are no UTF-8"
    case .noColon: "expected \"auth\" to be base64 of USER:PASSWORD, found no colon in it"
    case .noUser: "expected a user's name with the password, found none"
    case .lineBreak:
      "the password in \"auth\" ends with a line break, as `echo` adds one (`printf %s` does not)"
    case .controlsInUsername: "the user's name has a line break or NUL in it"
    case .controlsInPassword: "the password has a line break or NUL in it"
    case .controlsInToken: "the token has a line break or NUL in it"
    }
  }
}

extension CredentialError.HelperProblem {
  fileprivate var text: String {
    switch self {
    case .refused(let status, ""): "it ended with status \(status) and said nothing"
    case .refused(let status, let message): "it ended with status \(status): \(message)"
    case .killed(let signal, let message):
      "it was ended by signal \(signal)" + (message.isEmpty ? "" : ": \(message)")
    case .timedOut(let seconds):
      "no answer after \(seconds) s, so it was ended; it may wait for somebody to type"
    case .tooMuchOutput(let limit):
      "expected at most \(readable(byteCount: Int64(limit))) on stdout, found more"
    case .malformed(let found):
      "expected a JSON object with \"Username\" and \"Secret\" on stdout, found \(found)"
    }
  }
}
