import Reporting
import SystemPackage

/// Keys in variables.
struct EnvironmentCredentials: Sendable {
  let surroundings: AWSSurroundings

  func find() throws -> AWSOutcome {
    let (id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    switch (surroundings.variable(id), surroundings.variable(secret)) {
    case (nil, nil): return .absent("\(id) is not set")
    case (_?, nil): throw AWSError.halfSet(present: id, missing: secret)
    case (nil, _?): throw AWSError.halfSet(present: secret, missing: id)
    case (let key?, let value?):
      return .found(
        try AWSCredentials(
          accessKeyID: key, secretAccessKey: value,
          sessionToken: surroundings.variable("AWS_SESSION_TOKEN"), source: id))
    }
  }
}

/// A role and a token's file in variables, as Kubernetes sets them for a service account.
struct WebIdentityCredentials: Sendable {
  let surroundings: AWSSurroundings
  /// The region whose STS is asked where the environment names none.
  let region: String

  func find() async throws -> AWSOutcome {
    let (file, arn) = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN")
    guard let path = surroundings.variable(file) else { return .absent("\(file) is not set") }
    guard let role = surroundings.variable(arn) else {
      throw AWSError.halfSet(present: file, missing: arn)
    }
    let service = SecurityTokenService(
      surroundings: surroundings, region: surroundings.region ?? region)
    return .found(
      try await service.assume(
        AssumedRole(arn: role, sessionName: surroundings.variable("AWS_ROLE_SESSION_NAME")),
        withTokenIn: FilePath(path), source: "\(file) as role \(role.quoted)"))
  }
}
