import Foundation
import OCISpec
import TestSupport
import SystemPackage
import Testing

@testable import Credentials

/// Against moto, which checks signatures and permissions once it is told to.
@Suite(.serialized, .enabled(if: peers("moto_server"))) struct AWSMotoTests {
  private static let region = "eu-west-1"
  private static let repository = Repository(
    registry: Registry(host: "123456789012.dkr.ecr.eu-west-1.amazonaws.com"), path: "team/app")

  /// A call of any service with keys that moto takes as long as it does not check them.
  @discardableResult
  private func call(
    _ moto: MotoServer, _ service: String, _ form: [(String, String)],
    as keys: AWSCredentials? = nil
  ) async throws -> XMLReply {
    let body = form.map { "\($0.0)=\(percentEncoded($0.1))" }.joined(separator: "&")
    let root = try AWSCredentials(accessKeyID: "AKIAROOT", secretAccessKey: "x", source: "test")
    let request = ServiceRequest(
      "POST", moto.url + "/",
      headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")],
      body: Array(body.utf8))
    let signed = try SignatureV4(keys ?? root, region: Self.region, service: service)
      .signed(request, at: Int64(Date().timeIntervalSince1970))
    let response = try await loopbackExchange(signed)
    #expect(response.status == 200, "\(String(decoding: response.body, as: UTF8.self))")
    return try XMLReply(parsing: response.body)
  }

  private static func allowing(_ actions: String, trust: Bool = false) -> String {
    let target = trust ? #""Principal":{"AWS":"*"}"# : #""Resource":"*""#
    return
      #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[\#(actions)],\#(target)}]}"#
  }

  /// Makes a user who may take on a role that may use ECR, then has everything checked.
  private func prepare(_ moto: MotoServer) async throws -> (id: String, secret: String) {
    let version = ("Version", "2010-05-08")
    try await call(moto, "iam", [("Action", "CreateUser"), version, ("UserName", "builder")])
    try await call(
      moto, "iam",
      [
        ("Action", "PutUserPolicy"), version, ("UserName", "builder"), ("PolicyName", "p"),
        ("PolicyDocument", Self.allowing(#""sts:AssumeRole","ecr:GetAuthorizationToken""#)),
      ])
    try await call(
      moto, "iam",
      [
        ("Action", "CreateRole"), version, ("RoleName", "pusher"),
        ("AssumeRolePolicyDocument", Self.allowing(#""sts:AssumeRole""#, trust: true)),
      ])
    try await call(
      moto, "iam",
      [
        ("Action", "PutRolePolicy"), version, ("RoleName", "pusher"), ("PolicyName", "p"),
        ("PolicyDocument", Self.allowing(#""ecr:*""#)),
      ])
    let key = try await call(
      moto, "iam", [("Action", "CreateAccessKey"), version, ("UserName", "builder")])
    let path = "CreateAccessKeyResponse/CreateAccessKeyResult/AccessKey/"
    let reset = try await loopbackExchange(
      ServiceRequest(
        "POST", moto.url + "/moto-api/reset-auth", headers: [("Content-Type", "text/plain")],
        body: Array("0".utf8)))
    #expect(reset.status == 200)
    return (try #require(key[path + "AccessKeyId"]), try #require(key[path + "SecretAccessKey"]))
  }

  private func surroundings(_ moto: MotoServer, _ variables: [String: String]) -> AWSSurroundings {
    let all = variables.merging([
      "AWS_ENDPOINT_URL": moto.url, "AWS_EC2_METADATA_DISABLED": "true",
    ]) { $1 }
    return AWSSurroundings(
      environment: { all[$0] }, exchange: loopbackExchange,
      run: { _, _ in throw NoAnswer(.interrupted, "no program here") })
  }

  @Test(
    "with signatures and permissions checked: keys, a role, a password, a repository, its policies")
  func checked() async throws {
    try await MotoServer.run { moto in
      let keys = try await prepare(moto)
      let user = [
        "AWS_ACCESS_KEY_ID": keys.id, "AWS_SECRET_ACCESS_KEY": keys.secret,
      ]
      let found = try await ECRCredentials(surroundings(moto, user))
        .credential(for: Self.repository.registry)
      #expect(
        found?.credential == .basic(user: "AWS", password: Secret("123456789012-auth-token")))

      await #expect {
        try await ECRCredentials(
          surroundings(moto, user.merging(["AWS_SECRET_ACCESS_KEY": "wrong"]) { $1 })
        ).credential(for: Self.repository.registry)
      } throws: {
        // What moto checks it refuses in a form of its own, which has no code.
        ($0 as? AWSServiceError)?.status == 403
      }
      await #expect {
        try await ECRRepositories(ECRCredentials(surroundings(moto, user)))
          .create(Self.repository, .init())
      } throws: {
        ($0 as? AWSServiceError)?.status == 403 && "\($0)".contains("ecr:CreateRepository")
      }

      let directory = try TemporaryDirectory()
      let config = try directory.write(
        "config",
        """
        [default]
        role_arn = arn:aws:iam::123456789012:role/pusher
        source_profile = user
        region = \(Self.region)
        [profile user]
        aws_access_key_id = \(keys.id)
        aws_secret_access_key = \(keys.secret)
        """)
      let role = ECRCredentials(surroundings(moto, ["AWS_CONFIG_FILE": config.string]))
      try await makeRepository(role)
    }
  }

  private func makeRepository(_ role: ECRCredentials) async throws {
    let lifecycle =
      #"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":5},"action":{"type":"expire"}}]}"#
    let policy =
      #"{"Version":"2012-10-17","Statement":[{"Sid":"pull","Effect":"Allow","Principal":"*","Action":["ecr:BatchGetImage"]}]}"#
    let options = ECRRepositoryOptions(
      scansOnPush: true, hasImmutableTags: true,
      lifecyclePolicy: try ECRPolicy(parsing: Array(lifecycle.utf8), path: "l"),
      repositoryPolicy: try ECRPolicy(parsing: Array(policy.utf8), path: "p"))
    let repositories = ECRRepositories(role)
    // First without the policies, as a run that was interrupted leaves it.
    let plain = ECRRepositoryOptions(scansOnPush: true, hasImmutableTags: true)
    #expect(try await repositories.create(Self.repository, plain) == .created)
    for _ in 0..<2 {
      #expect(try await repositories.create(Self.repository, options) == .alreadyExists)
    }
    func read(_ name: String, _ parameters: [(String, JSON)]) async throws -> JSON {
      let registry = try #require(ECRRegistry(Self.repository.registry))
      var body = JSONObject()
      for (key, value) in parameters { body.append(key, value) }
      let operation = try registry.operation(name, .object(body), at: role.surroundings)
      let response = try #require(try await role.perform(operation, of: registry))
      return try JSON(parsing: response.body)
    }
    let described = try await read(
      "DescribeRepositories", [("repositoryNames", .array(["team/app"]))])
    let repository = described["repositories"]?.arrayValue?.first
    #expect(repository?["imageTagMutability"]?.stringValue == "IMMUTABLE")
    #expect(repository?["imageScanningConfiguration"]?["scanOnPush"]?.boolValue == true)
    let name = [("repositoryName", JSON.string("team/app"))]
    for (operation, field, text) in [
      ("GetLifecyclePolicy", "lifecyclePolicyText", lifecycle),
      ("GetRepositoryPolicy", "policyText", policy),
    ] {
      let kept = try #require(try await read(operation, name)[field]?.stringValue)
      #expect(
        try CanonicalJSON.encode(JSON(parsing: kept.utf8))
          == CanonicalJSON.encode(JSON(parsing: text.utf8)))
    }
  }

  @Test("a web identity's role gives a password")
  func webIdentity() async throws {
    try await MotoServer.run { moto in
      let directory = try TemporaryDirectory()
      let token = try directory.write("token", "header.payload.signature")
      let provider = ECRCredentials(
        surroundings(
          moto,
          [
            "AWS_WEB_IDENTITY_TOKEN_FILE": token.string,
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/pusher",
          ]))
      let found = try await provider.credential(for: Self.repository.registry)
      #expect(
        found?.source == "Amazon ECR in eu-west-1 for AWS credentials from "
          + "AWS_WEB_IDENTITY_TOKEN_FILE as role \"arn:aws:iam::123456789012:role/pusher\"")
      #expect(provider.trail.map(\.provider) == ["environment", "web identity", "Amazon ECR"])
    }
  }
}
