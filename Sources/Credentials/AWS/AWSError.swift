import Bindings
package import Reporting

/// What can go wrong before a service of AWS says no (that is ``AWSServiceError``). Never a secret.
package enum AWSError: Failure, Equatable {
  /// One of two variables that belong together.
  case halfSet(present: String, missing: String)
  /// A profile that was asked for by name.
  case noSuchProfile(String, files: [String])
  case malformedFile(path: String, line: Int, problem: String)
  case unusableProfile(String, problem: String)
  /// Profiles that take their credentials from one another, in order.
  case profileLoop([String])
  case malformedCredentials(source: String, problem: String)
  /// `variable` is `nil` where the URL is of our own making.
  case unusableEndpoint(variable: String?, EndpointProblem)
  case unusableVariable(String, problem: String)
  case unusableRegion(String)
  case processFailed(profile: String, status: Int32)
  /// The instance metadata service has a role, but no credentials for it.
  case roleWithoutCredentials(role: String, code: String)
  case noAnswer(action: String, host: String, NoAnswer, attempts: Int)
  case malformedAnswer(action: String, host: String, problem: String)
  case unusableClock(seconds: Int64)

  package enum EndpointProblem: Sendable, Equatable {
    case notAnEndpoint
    case plainHTTP(host: String)
  }

  package var kind: FailureKind {
    switch self {
    case .halfSet, .unusableProfile, .profileLoop, .unusableEndpoint, .unusableVariable,
      .unusableRegion:
      .usage
    case .noSuchProfile: .notFound
    case .malformedFile, .malformedCredentials: .data
    case .processFailed, .roleWithoutCredentials: .denied
    case .noAnswer: .unavailable
    case .malformedAnswer: .protocolBroken
    case .unusableClock: .software
    }
  }

  package var description: String {
    switch self {
    case .halfSet(let present, let missing):
      "reading AWS credentials: \(present) is set and \(missing) is not; set both or neither"
    case .noSuchProfile(let name, let files):
      "reading AWS credentials: expected a profile \(name.quoted) in \(files.map(\.quoted).joined(separator: " or ")), found none"
    case .malformedFile(let path, let line, let problem):
      "reading AWS settings: \(path.quoted), line \(line): \(problem)"
    case .unusableProfile(let name, let problem): "AWS profile \(name.quoted): \(problem)"
    case .profileLoop(let names):
      "AWS profiles take their credentials from one another in a circle: \(names.map(\.quoted).joined(separator: ", then "))"
    case .malformedCredentials(let source, let problem):
      "reading AWS credentials from \(source): \(problem)"
    case .unusableEndpoint(let variable, .notAnEndpoint):
      "reading \(variable ?? "a URL of AWS"): expected https://host or https://host:port with at most a path behind it"
    case .unusableEndpoint(let variable, .plainHTTP(let host)):
      "reading \(variable ?? "a URL of AWS"): plain http to \(host.quoted) would show what it carries to everyone on the way; use https, or http to a loopback address"
    case .unusableVariable(let name, let problem): "reading \(name): \(problem)"
    case .unusableRegion(let region):
      "calling AWS: expected a region such as eu-central-1 in AWS_REGION or the profile, found \(region.quoted)"
    case .processFailed(let profile, let status):
      "AWS profile \(profile.quoted): its credential_process ended with status \(status)"
    case .roleWithoutCredentials(let role, let code):
      "reading AWS credentials of role \(role.quoted) from the instance metadata service: expected code \"Success\", found \(code.quoted)"
    case .noAnswer(let action, let host, let reason, let attempts):
      "calling \(action) at \(host.printable): \(reason)"
        + (attempts > 1 ? "; gave up after \(attempts) attempts" : "")
    case .malformedAnswer(let action, let host, let problem):
      "calling \(action) at \(host.printable): the answer makes no sense: \(problem)"
    case .unusableClock(let seconds):
      "signing a request to AWS: the clock stands at \(seconds) s since 1970, where no date can be written"
    }
  }
}
