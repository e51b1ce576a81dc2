import Foundation
import NIOHTTP1
import Server
import Synchronization
import TestSupport
import Testing

/// Amazon ECR from end to end: the API is moto's, the registry one that demands the password of that API under
/// the name of an ECR registry.
@Suite(.serialized, .enabled(if: peers("moto_server", "nginx", "openssl", "python3")))
struct AmazonRegistryTests {
  private let workshop: Workshop
  private static let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"

  init() throws {
    workshop = try Workshop()
    try workshop.assemble(Sample.one, ["-o", "one"])
    try workshop.assemble(Sample.two, ["-o", "two"])
    try workshop.folder.write("lifecycle.json", Self.lifecycle)
    try workshop.folder.write("policy.json", Self.policy)
  }

  private static let lifecycle =
    #"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":5},"action":{"type":"expire"}}]}"#
  private static let policy =
    #"{"Version":"2012-10-17","Statement":[{"Sid":"pull","Effect":"Allow","Principal":"*","Action":["ecr:BatchGetImage"]}]}"#

  private static let keys = [
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "an-aws-s3cret",
    "AWS_EC2_METADATA_DISABLED": "true",
  ]

  /// What the program is run with: keys, the API, the way to the registry, and nothing of this machine.
  private func environment(_ registry: NamedRegistry, api: String) -> [String: String?] {
    let unset = [
      "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE",
      "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ROLE_ARN",
      "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ENDPOINT_URL_ECR",
    ]
    return Dictionary(uniqueKeysWithValues: unset.map { ($0, String?.none) })
      .merging(Self.keys) { $1 }.merging(["AWS_ENDPOINT_URL": api]) { $1 }
      .merging(registry.environment) { $1 }
  }

  /// What boto3, which AWS makes, says of a repository.
  private func settings(of repository: String, _ moto: MotoServer) throws -> [String: String] {
    let finished = try run(
      "python3", ["-c", Self.asking, moto.url, repository], environment: Self.keys)
    try #require(finished.status == 0, "\(finished.stderr)")
    return try JSONDecoder().decode([String: String].self, from: Data(finished.stdout))
  }

  private static let asking = """
    import boto3, json, sys
    ecr = boto3.client("ecr", endpoint_url=sys.argv[1], region_name="eu-west-1")
    found = ecr.describe_repositories(repositoryNames=[sys.argv[2]])["repositories"][0]
    print(json.dumps({
        "uri": found["repositoryUri"],
        "tags": found["imageTagMutability"],
        "scan": str(found["imageScanningConfiguration"]["scanOnPush"]),
        "lifecycle": ecr.get_lifecycle_policy(repositoryName=sys.argv[2])["lifecyclePolicyText"],
        "policy": ecr.get_repository_policy(repositoryName=sys.argv[2])["policyText"],
    }))
    """

  private func canonical(_ json: String?) throws -> Data {
    let value = try JSONSerialization.jsonObject(with: Data((json ?? "").utf8))
    return try JSONSerialization.data(withJSONObject: value, options: .sortedKeys)
  }

  @Test("a repository is made as told, pushed to and pulled from, with AWS keys and nothing else")
  func whole() async throws {
    try await MotoServer.run { moto in
      try await NamedRegistry.run(
        Self.host, wrapping: demandBasic(user: "AWS", password: "123456789012-auth-token")
      ) { registry in
        let environment = environment(registry, api: moto.url)
        let place = registry.reference("team/app")
        let push = [
          "push", "--progress", "none", "--create-repository", "--scan-on-push", "--immutable-tags",
          "--lifecycle-policy", "lifecycle.json", "--repository-policy", "policy.json", "oci:two",
          "\(place):v1",
        ]
        try workshop.expect(
          push, environment: environment, stdout: "\(Sample.twoDigest)\n",
          stderr: "made repository \(place)\npushed \(place): 5 blobs sent (1.8 kB)\n")
        let settings = try settings(of: "team/app", moto)
        #expect(settings["uri"] == place)
        #expect(settings["tags"] == "IMMUTABLE")
        #expect(settings["scan"] == "True")
        #expect(try canonical(settings["lifecycle"]) == canonical(Self.lifecycle))
        #expect(try canonical(settings["policy"]) == canonical(Self.policy))

        // Again: the repository is there, and the tag is not moved.
        let before = registry.registry.requests.count
        try workshop.expect(
          push, environment: environment, stdout: "\(Sample.twoDigest)\n",
          stderr: "pushed \(place): 5 already there\n")
        #expect(
          registry.registry.requests.dropFirst(before).allSatisfy {
            [.GET, .HEAD].contains($0.method)
          })

        try workshop.expect(
          ["pull", "-q", "\(place):v1", "oci:back"], environment: environment,
          stdout: "\(Sample.twoDigest)\n")
        try workshop.expectValid("oci:back:v1")
        try workshop.folder.write("image.yaml", Sample.one)
        try workshop.expect(
          [
            "assemble", "-q", "--no-layout", "--create-repository", "--push",
            registry.reference("team/other:v1"),
          ], environment: environment, stdout: "\(Sample.oneDigest)\n")
      }
    }
  }

  @Test("auth tells where the AWS credentials were looked for and that ECR took them")
  func auth() async throws {
    try await MotoServer.run { moto in
      try await NamedRegistry.run(Self.host) { registry in
        let finished = try workshop.run(
          ["auth", Self.host], environment: environment(registry, api: moto.url))
        #expect(finished.status == 0 && finished.stderr == "", "\(finished.stderr)")
        #expect(
          finished.output.hasPrefix("registry    \(Self.host)\ncredential  user \"AWS\", password"),
          "\(finished.output)")
        #expect(
          finished.output.contains(#/\n\* Amazon ECR +user "AWS", password/#),
          "\(finished.output)")
        let trail = finished.output.split(separator: "\nAWS credentials\n").last.map(String.init)
        #expect(trail?.contains(#/(?m)^  environment +used$/#) == true, "\(finished.output)")
        #expect(trail?.contains(#/(?m)^  Amazon ECR +used$/#) == true, "\(finished.output)")
        for secret in ["123456789012-auth-token", "an-aws-s3cret"] {
          #expect(!finished.output.contains(secret))
        }
        #expect(registry.registry.lines == [])
      }
    }
  }

  @Test("without keys the registry is asked anonymously and refuses: exit 77")
  func noKeys() async throws {
    try await NamedRegistry.run(
      Self.host, wrapping: demandBasic(user: "AWS", password: "123456789012-auth-token")
    ) { registry in
      let keys = Dictionary(uniqueKeysWithValues: Self.keys.keys.map { ($0, String?.none) })
      let finished = try workshop.run(
        ["push", "-q", "oci:one", registry.reference("a:v1")],
        environment: environment(registry, api: "http://127.0.0.1:1").merging(keys) { $1 }
          .merging(["AWS_EC2_METADATA_DISABLED": "true"]) { $1 })
      #expect(finished.status == 77)
      #expect(finished.stderr.contains("no credential was found"), "\(finished.stderr)")
      #expect(finished.stderr.contains("ociforge auth \(Self.host)"), "\(finished.stderr)")
    }
  }

  @Test(
    "a password that has expired on the way is made anew, once", arguments: [401, 403])
  func expired(status: Int) async throws {
    let api = PasswordService()
    try await FaultyRegistry.serve(fault: { api.answer($0) }) { service in
      try await NamedRegistry.run(
        Self.host,
        fault: { request in
          // The first password ends with the first upload.
          if request.method == .POST { api.expireFirst() }
          guard let said = request["authorization"] else {
            return .status(401, headers: ["WWW-Authenticate": #"Basic realm="ecr""#])
          }
          return api.isGood(said)
            ? nil
            : .error(
              status, "DENIED",
              message: "Your authorization token has expired. Reauthenticate and try again.",
              headers: status == 401 ? ["WWW-Authenticate": #"Basic realm="ecr""#] : [:])
        }
      ) { registry in
        let image = registry.reference("team/app:v1")
        let finished = try workshop.run(
          ["push", "-q", "oci:one", image],
          environment: environment(registry, api: "http://\(service.host)"))
        #expect(finished.status == 0 && finished.stderr == "", "\(finished.stderr)")
        #expect(finished.output == "\(Sample.oneDigest)\n")
        #expect(registry.registry.putManifests.last == "v1")
        #expect(api.count == 2)
      }
    }
  }
}

/// ECR's API as far as it makes passwords, a new one with every request.
private final class PasswordService: Sendable {
  private let state = Mutex((made: 0, firstIsOver: false))

  var count: Int { state.withLock { $0.made } }

  func answer(_ request: FaultyRegistry.Request) -> Fault? {
    guard request["x-amz-target"]?.hasSuffix(".GetAuthorizationToken") == true else { return nil }
    let number = state.withLock { state in
      state.made += 1
      return state.made
    }
    let end = Int(Date().timeIntervalSince1970) + 43_200
    return .status(
      200, headers: ["Content-Type": "application/x-amz-json-1.1"],
      body:
        #"{"authorizationData":[{"authorizationToken":"\#(Self.token(number))","expiresAt":\#(end).5}]}"#
    )
  }

  func expireFirst() { state.withLock { $0.firstIsOver = true } }

  func isGood(_ authorization: String) -> Bool {
    guard let number = (1...9).first(where: { authorization == "Basic \(Self.token($0))" }) else {
      return false
    }
    return number > 1 || !state.withLock { $0.firstIsOver }
  }

  private static func token(_ number: Int) -> String {
    Data("AWS:password-\(number)".utf8).base64EncodedString()
  }
}
