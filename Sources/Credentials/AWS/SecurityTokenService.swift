import OCISpec
import Reporting
import SystemPackage

/// A role and how it is taken on.
struct AssumedRole: Sendable, Equatable {
  var arn: String
  var sessionName: String?
  var externalID: String?
  var duration: Int?
}

/// AWS STS: credentials of a role, for other credentials or for a token of an identity provider.
struct SecurityTokenService: Sendable {
  let surroundings: AWSSurroundings
  let region: String

  /// Takes on a role with credentials that may do so.
  func assume(_ role: AssumedRole, with credentials: AWSCredentials) async throws -> AWSCredentials
  {
    try await call(
      "AssumeRole", role, [], as: credentials,
      source: "role \(role.arn.quoted) by \(credentials.source)")
  }

  /// Takes on a role with the token in a file, which is read anew each time as its owner rewrites it.
  func assume(
    _ role: AssumedRole, withTokenIn file: FilePath, source: String
  ) async throws -> AWSCredentials {
    guard let bytes = try await surroundings.contents(of: file),
      let token = String(validating: bytes, as: UTF8.self)?.trimmed, !token.isEmpty
    else {
      throw AWSError.malformedCredentials(
        source: source, problem: "expected a token in \(file.string.quoted), found none")
    }
    return try await call(
      "AssumeRoleWithWebIdentity", role, [("WebIdentityToken", token)], as: nil, source: source)
  }

  private func call(
    _ name: String, _ role: AssumedRole, _ more: [(String, String)],
    as credentials: AWSCredentials?, source: String
  ) async throws -> AWSCredentials {
    let sessionName = role.sessionName ?? "ociforge-\(surroundings.clock.now)"
    var fields = [
      ("Action", name), ("Version", "2011-06-15"), ("RoleArn", role.arn),
      ("RoleSessionName", sessionName),
    ]
    if let id = role.externalID { fields.append(("ExternalId", id)) }
    if let duration = role.duration { fields.append(("DurationSeconds", "\(duration)")) }
    let form = (fields + more).map { "\($0.0)=\(percentEncoded($0.1))" }.joined(separator: "&")
    let operation = AWSOperation(
      action: "sts:\(name)", endpoint: try endpoint, region: region, service: "sts",
      headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
      body: Array(form.utf8))
    let response = try await AWSCaller(surroundings: surroundings).perform(
      operation, as: credentials)
    return try read(response, of: name, host: operation.endpoint.authority, source: source)
  }

  private var endpoint: AWSEndpoint {
    get throws {
      guard AWSPartition.isRegion(region) else { throw AWSError.unusableRegion(region) }
      let suffix = AWSPartition(region: region).suffix
      return try surroundings.override(of: "STS") ?? AWSEndpoint(host: "sts.\(region).\(suffix)")
    }
  }

  private func read(
    _ response: ServiceResponse, of name: String, host: String, source: String
  ) throws -> AWSCredentials {
    let reply: XMLReply
    do { reply = try XMLReply(parsing: response.body) } catch {
      throw AWSError.malformedAnswer(action: "sts:\(name)", host: host, problem: error.text)
    }
    func field(_ field: String) -> String? {
      reply["\(name)Response/\(name)Result/Credentials/\(field)"]
    }
    guard let id = field("AccessKeyId"), let secret = field("SecretAccessKey"),
      let token = field("SessionToken")
    else {
      throw AWSError.malformedAnswer(
        action: "sts:\(name)", host: host, problem: "expected credentials, found none")
    }
    return try AWSCredentials(
      accessKeyID: id, secretAccessKey: secret, sessionToken: token,
      expiration: field("Expiration").flatMap { AWSTime.parsing($0) }, source: source)
  }
}
