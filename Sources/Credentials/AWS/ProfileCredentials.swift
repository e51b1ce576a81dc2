import Reporting
import SystemPackage

/// Credentials by a profile: its keys, or the role it takes on with whatever it names.
struct ProfileCredentials: Sendable {
  let surroundings: AWSSurroundings
  let profiles: AWSProfiles
  /// The region whose STS is asked where neither the environment nor the profile names one.
  let region: String

  /// - Returns: `nil` for a profile that says nothing of credentials, or that is not there.
  func find(_ name: String) async throws -> AWSCredentials? {
    profiles[name] == nil ? nil : try await credentials(of: name, after: [])
  }

  /// - Parameter path: the profiles that led here. A role counts in the first one only where that has keys of
  ///   its own, as with the AWS command line.
  private func credentials(of name: String, after path: [String]) async throws -> AWSCredentials? {
    guard let profile = profiles[name] else {
      throw AWSError.noSuchProfile(name, files: profiles.files)
    }
    let settings = profile.filter { !$0.value.isEmpty }
    if !path.isEmpty, let keys = try keys(of: name, settings) { return keys }
    guard !path.contains(name) else { throw AWSError.profileLoop(path + [name]) }
    if let arn = settings["role_arn"] {
      return try await role(arn, of: name, settings, path: path)
    }
    for key in ["source_profile", "credential_source", "web_identity_token_file"]
    where settings[key] != nil {
      throw AWSError.unusableProfile(name, problem: "\(key) needs role_arn beside it")
    }
    if let keys = try keys(of: name, settings) { return keys }
    if let command = settings["credential_process"] {
      return try await CredentialProcess(surroundings: surroundings, profile: name).run(command)
    }
    let signOn = [
      "sso_session", "sso_start_url", "sso_account_id", "sso_role_name", "login_session",
    ]
    if signOn.contains(where: { settings[$0] != nil }) {
      throw AWSError.unusableProfile(
        name,
        problem: "single sign-on is not supported; run \"aws sso login\", then "
          + "\"eval $(aws configure export-credentials --format env)\"")
    }
    return nil
  }

  private func keys(of name: String, _ settings: [String: String]) throws -> AWSCredentials? {
    switch (settings["aws_access_key_id"], settings["aws_secret_access_key"]) {
    case (nil, nil): return nil
    case (let id?, let secret?):
      return try AWSCredentials(
        accessKeyID: id, secretAccessKey: secret, sessionToken: settings["aws_session_token"],
        source: "profile \(name.quoted)")
    case (let id, _):
      let (present, missing) = ("aws_access_key_id", "aws_secret_access_key")
      throw AWSError.unusableProfile(
        name,
        problem: id == nil
          ? "\(missing) needs \(present) beside it" : "\(present) needs \(missing) beside it")
    }
  }

  private func role(
    _ arn: String, of name: String, _ settings: [String: String], path: [String]
  ) async throws -> AWSCredentials {
    guard settings["mfa_serial"] == nil else {
      throw AWSError.unusableProfile(
        name,
        problem: "mfa_serial needs a person to type a code; run "
          + "\"eval $(aws configure export-credentials --format env)\" first")
    }
    let role = AssumedRole(
      arn: arn, sessionName: settings["role_session_name"], externalID: settings["external_id"],
      duration: try settings["duration_seconds"].map { text in
        guard let seconds = Int(text), (900...43_200).contains(seconds) else {
          throw AWSError.unusableProfile(
            name, problem: "duration_seconds: expected 900 to 43200, found \(text.quoted)")
        }
        return seconds
      })
    let service = SecurityTokenService(
      surroundings: surroundings, region: surroundings.region ?? settings["region"] ?? region)
    switch (
      settings["source_profile"], settings["credential_source"], settings["web_identity_token_file"]
    ) {
    case (let source?, nil, nil):
      guard let credentials = try await credentials(of: source, after: path + [name]) else {
        throw AWSError.unusableProfile(
          name, problem: "source_profile \(source.quoted) has no credentials")
      }
      return try await service.assume(role, with: credentials)
    case (nil, let source?, nil):
      return try await service.assume(role, with: try await credentials(from: source, of: name))
    case (nil, nil, let file?):
      return try await service.assume(
        role, withTokenIn: FilePath(file), source: "web identity of profile \(name.quoted)")
    default:
      throw AWSError.unusableProfile(
        name,
        problem: "role_arn needs exactly one of source_profile, credential_source and "
          + "web_identity_token_file beside it")
    }
  }

  private func credentials(from source: String, of name: String) async throws -> AWSCredentials {
    let outcome: AWSOutcome
    switch source {
    case "Environment": outcome = try EnvironmentCredentials(surroundings: surroundings).find()
    case "EcsContainer":
      outcome = try await ContainerCredentials(surroundings: surroundings).find()
    case "Ec2InstanceMetadata":
      outcome = try await InstanceCredentials(surroundings: surroundings).find()
    default:
      throw AWSError.unusableProfile(
        name,
        problem: "credential_source: expected Environment, EcsContainer or Ec2InstanceMetadata, "
          + "found \(source.quoted)")
    }
    switch outcome {
    case .found(let credentials): return credentials
    case .absent(let why):
      throw AWSError.unusableProfile(name, problem: "credential_source \(source): \(why)")
    }
  }
}
