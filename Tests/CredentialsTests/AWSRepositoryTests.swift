import OCISpec
import SystemPackage
import TestSupport
import Reporting
import Testing

@testable import Credentials

@Suite struct ECRRepositoriesTests {
  private static let repository = Repository(
    registry: Registry(host: "123456789012.dkr.ecr.eu-west-1.amazonaws.com"), path: "team/app")
  private static let gallery = Repository(
    registry: Registry(host: "public.ecr.aws"), path: "alias/team/app")

  private func policy(_ text: String) throws -> ECRPolicy {
    try ECRPolicy(parsing: Array(text.utf8), path: "p.json")
  }

  private func repositories(
    _ script: AWSScript, _ variables: [String: String] = exampleKeys
  ) -> ECRRepositories {
    ECRRepositories(ECRCredentials(AWSSurroundings(variables, script.exchange)))
  }

  private func names(_ script: AWSScript) -> [String] {
    script.requests.compactMap { $0["X-Amz-Target"]?.split(separator: ".").last.map(String.init) }
  }

  private func options() throws -> ECRRepositoryOptions {
    ECRRepositoryOptions(
      scansOnPush: true, hasImmutableTags: true, lifecyclePolicy: try policy(#"{"rules": []}"#),
      repositoryPolicy: try policy(#"{"Version":"x"}"#))
  }

  @Test("a new repository gets its settings and then its policies, as they were written")
  func creates() async throws {
    let script = AWSScript { _, _ in ServiceResponse(200, "{}") }
    let creation = try await repositories(script).create(Self.repository, options())
    #expect(creation == .created)
    #expect(names(script) == ["CreateRepository", "PutLifecyclePolicy", "SetRepositoryPolicy"])
    #expect(
      script.requests.map(\.text) == [
        #"{"imageScanningConfiguration":{"scanOnPush":true},"imageTagMutability":"IMMUTABLE","registryId":"123456789012","repositoryName":"team/app"}"#,
        #"{"lifecyclePolicyText":"{\"rules\": []}","registryId":"123456789012","repositoryName":"team/app"}"#,
        #"{"policyText":"{\"Version\":\"x\"}","registryId":"123456789012","repositoryName":"team/app"}"#,
      ])
  }

  @Test("what an existing repository has stays; a policy that it lacks is added")
  func existing() async throws {
    let script = AWSScript { request, _ in
      switch request["X-Amz-Target"]?.split(separator: ".").last {
      case "CreateRepository": .failure(400, "RepositoryAlreadyExistsException")
      case "GetLifecyclePolicy": ServiceResponse(200, "{}")
      case "GetRepositoryPolicy": .failure(400, "RepositoryPolicyNotFoundException")
      default: ServiceResponse(200, "{}")
      }
    }
    #expect(try await repositories(script).create(Self.repository, options()) == .alreadyExists)
    #expect(
      names(script) == [
        "CreateRepository", "GetLifecyclePolicy", "GetRepositoryPolicy", "SetRepositoryPolicy",
      ])
    let plain = AWSScript { _, _ in .failure(400, "RepositoryAlreadyExistsException") }
    #expect(try await repositories(plain).create(Self.repository, .init()) == .alreadyExists)
    #expect(plain.requests.count == 1)
  }

  @Test(
    "each step's denial names its permission",
    arguments: ["CreateRepository", "PutLifecyclePolicy", "SetRepositoryPolicy"])
  func denied(_ name: String) async throws {
    let script = AWSScript { request, _ in
      request["X-Amz-Target"]?.hasSuffix(".\(name)") == true
        ? .failure(400, "AccessDeniedException") : ServiceResponse(200, "{}")
    }
    await #expect {
      try await repositories(script).create(Self.repository, options())
    } throws: { "\($0)".contains("allow ecr:\(name) to them in IAM") }
  }

  @Test("a refused request that is no denial is shown as it is")
  func otherRefusal() async throws {
    let script = AWSScript { _, _ in .failure(400, "InvalidParameterException") }
    await #expect {
      try await repositories(script).create(Self.repository, .init())
    } throws: { ($0 as? AWSServiceError)?.kind == .data }
  }

  @Test("ECR Public: the name without the owner's alias, and its own service")
  func publicRegistry() async throws {
    let script = AWSScript { _, _ in ServiceResponse(200, "{}") }
    let options = ECRRepositoryOptions(repositoryPolicy: try policy("{}"))
    #expect(try await repositories(script).create(Self.gallery, options) == .created)
    #expect(
      script.requests.map(\.text) == [
        #"{"repositoryName":"team/app"}"#, #"{"policyText":"{}","repositoryName":"team/app"}"#,
      ])
    #expect(
      script.requests.first?["X-Amz-Target"] == "SpencerFrontendService.CreateRepository")
  }

  @Test("what cannot be is refused before anything is asked")
  func refusals() async throws {
    let script = AWSScript { _, _ in ServiceResponse(200, "{}") }
    let other = Repository(registry: Registry(host: "ghcr.io"), path: "a/b")
    await #expect(throws: ECRRepositoryError.notECR(other.registry)) {
      try await repositories(script).create(other, .init())
    }
    await #expect(
      throws: ECRRepositoryError.notInGallery([
        "scan on push", "immutable tags", "lifecycle policy",
      ])
    ) { try await repositories(script).create(Self.gallery, options()) }
    let bare = Repository(registry: Registry(host: "public.ecr.aws"), path: "app")
    await #expect(throws: ECRRepositoryError.noAlias(bare)) {
      try await repositories(script).create(bare, .init())
    }
    await #expect(throws: ECRRepositoryError.noCredentials(Self.repository)) {
      try await repositories(script, ["AWS_EC2_METADATA_DISABLED": "true"])
        .create(Self.repository, .init())
    }
    #expect(script.requests.isEmpty)
  }

  @Test(
    "policies are JSON objects",
    arguments: [
      "", "{", "[]", "\"x\"", "{} {}", #"{"a":1,"a":2}"#,
      "{\"a\":\"\(String(repeating: "x", count: 40_000))\"}",
    ])
  func policies(_ text: String) {
    #expect {
      try policy(text)
    } throws: {
      guard case ECRRepositoryError.notAPolicy("p.json", _)? = $0 as? ECRRepositoryError else {
        return false
      }
      return true
    }
  }

  @Test("a policy's file is read as it is")
  func policyFile() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("p.json", "{ \"a\": 1 }\n")
    #expect(try ECRPolicy(file: file).text == "{ \"a\": 1 }\n")
    #expect(throws: (any Error).self) { try ECRPolicy(file: directory.path.appending("none")) }
  }
}
