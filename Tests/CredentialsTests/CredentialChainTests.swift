import Credentials
import Foundation
import OCISpec
import Reporting
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("CredentialChain") struct CredentialChainTests {
  private let account: Account
  private let target = repository("ghcr.io/team/app")

  init() throws { account = try Account() }

  private static func entry(_ user: String) -> String {
    #"{"auths":{"ghcr.io":{"auth":"\#(base64("\(user):s3cret"))"}}}"#
  }

  @Test("sources are asked in their order, and the first with a credential wins")
  func order() async throws {
    let option = try account.write("option.json", Self.entry("authfile"))
    try account.write("variable.json", Self.entry("REGISTRY_AUTH_FILE"))
    account["REGISTRY_AUTH_FILE"] = "\(account.path)/variable.json"
    account["DOCKER_AUTH_CONFIG"] = Self.entry("DOCKER_AUTH_CONFIG")
    try account.write("docker/config.json", Self.entry("DOCKER_CONFIG"))
    account["DOCKER_CONFIG"] = "\(account.path)/docker"
    try account.write("run/containers/auth.json", Self.entry("podman, session"))
    try account.write("home/.config/containers/auth.json", Self.entry("podman, user"))
    try account.write("home/.docker/config.json", Self.entry("docker"))
    try account.write(
      "home/.dockercfg", #"{"ghcr.io":{"auth":"\#(base64("docker, legacy:s3cret"))"}}"#)
    let given = GivenCredential(
      basic("--username", "s3cret"), for: target.registry, option: "--username")
    let amazon: AmazonLookup = { _, _ in
      FoundCredential(basic("Amazon ECR", "s3cret"), source: "Amazon ECR")
    }
    let steps: [(user: String, without: () throws -> Void)] = [
      ("--username", {}), ("authfile", {}),
      ("REGISTRY_AUTH_FILE", { account["REGISTRY_AUTH_FILE"] = nil }),
      ("DOCKER_AUTH_CONFIG", { account["DOCKER_AUTH_CONFIG"] = nil }),
      ("DOCKER_CONFIG", { account["DOCKER_CONFIG"] = nil }),
      ("podman, session", { account["XDG_RUNTIME_DIR"] = "\(account.path)/nowhere" }),
      ("podman, user", { account["XDG_CONFIG_HOME"] = "\(account.path)/nowhere" }),
      ("docker", { account["DOCKER_CONFIG"] = nil }),
      ("docker, legacy", { try FileManager.default.removeItem(atPath: "\(account.path)/home") }),
      ("Amazon ECR", {}),
    ]
    for (index, step) in steps.enumerated() {
      if step.user == "docker, legacy" {
        try FileManager.default.removeItem(atPath: "\(account.path)/home/.docker")
      }
      let chain = account.chain(
        given: index == 0 ? [given] : [], authFile: index <= 1 ? option : nil, amazon: amazon)
      let found = try await chain.provider.find(target, nil)
      #expect(found?.credential == basic(step.user, "s3cret"))
      try step.without()
    }
    #expect(try await account.find(target) == nil)
  }

  @Test("A15: what the command line gave is for one registry")
  func bound() async throws {
    let given = GivenCredential(
      basic("a", "b"), for: repository("reg:5000").registry, option: "--username")
    let provider = account.chain(given: [given]).provider
    #expect(try await provider.find(repository("reg:5000/x"), nil)?.credential == basic("a", "b"))
    for other in ["reg/x", "reg:443/x", "other:5000/x", "docker.io/library/x"] {
      #expect(try await provider.find(repository(other), nil) == nil, "\(other)")
    }
  }

  @Test("a file that the user named must be there; others need not", arguments: [true, false])
  func missing(_ isOption: Bool) async throws {
    #expect(try await account.find(target) == nil)
    let path = "\(account.path)/nowhere.json"
    if !isOption { account["REGISTRY_AUTH_FILE"] = path }
    let error = await #expect(throws: ContextualFailure.self) {
      try await account.find(target, authFile: isOption ? FilePath(path) : nil)
    }
    let name = isOption ? "--authfile" : "REGISTRY_AUTH_FILE"
    #expect(
      error?.description
        == "credentials of \(name): reading \"\(path)\": No such file or directory")
    #expect(error?.kind == .notFound)
  }

  @Test("what a variable holds is never shown")
  func variable() async throws {
    account["DOCKER_AUTH_CONFIG"] = #"{"auths": s3cret"#
    let error = await #expect(throws: CredentialError.self) { try await account.find(target) }
    #expect(
      error?.description
        == "credentials in \"DOCKER_AUTH_CONFIG\": not valid JSON: unexpected character at byte 10")
  }

  @Test("without a home and without an entry in passwd, what there is is asked")
  func homeless() async throws {
    account["HOME"] = nil
    account["XDG_RUNTIME_DIR"] = "run"
    let trail = await account.chain().trail(for: target)
    #expect(
      trail.map { "\($0.source): \($0.said)" } == [
        "--authfile: not given", "REGISTRY_AUTH_FILE: not set", "DOCKER_AUTH_CONFIG: not set",
        "DOCKER_CONFIG: not set", "podman, session: XDG_RUNTIME_DIR is not an absolute path",
        "podman, user: HOME is not set", "docker: HOME is not set",
        "docker, legacy: HOME is not set",
      ])
  }

  @Test("the trail says of every source what it said, and never the secret")
  func trail() async throws {
    try account.helper("x", "echo credentials not found in native keychain; exit 1")
    try account.write("run/containers/auth.json", #"{"credsStore":"x"}"#)
    try account.write(
      "home/.config/containers/auth.json",
      #"{"auths":{"ghcr.io/other":{"auth":"\#(base64("o:s3cret"))"},"ghcr.io":{}}}"#)
    try account.write("home/.docker/config.json", Self.entry("alice"))
    let chain = account.chain(amazon: { _, _ in nil })
    let trail = await chain.trail(for: target)
    #expect(
      trail.dropFirst(4).map { [$0.source, $0.outcome.rawValue, $0.said, $0.key ?? ""] } == [
        ["podman, session", "nothing", "docker-credential-x: not found", ""],
        ["podman, user", "nothing", "\"ghcr.io\" stands there without a credential", ""],
        ["docker", "won", "user \"alice\", password", "ghcr.io"],
        ["docker, legacy", "not asked", "an earlier source won", ""],
        ["Amazon ECR", "not asked", "an earlier source won", ""],
      ])
    #expect(trail[6].path == "\(account.path)/home/.docker/config.json")
    #expect(!String(reflecting: trail).contains("s3cret"))
    let other = await chain.trail(for: repository("quay.io"))
    #expect(other[6].said == "no entry for quay.io")
    #expect(other[8].said == "not a registry of Amazon ECR")
    let amazon = await chain.trail(
      for: repository("123456789012.dkr.ecr.eu-central-1.amazonaws.com"))
    #expect(amazon[8].said == "no AWS credentials")
  }

  @Test("a registry alone is told of entries for its namespaces")
  func namespaces() async throws {
    try account.write(
      "home/.docker/config.json", #"{"auths":{"q.io/t":{"auth":"\#(base64("a:b"))"}}}"#)
    let trail = await account.chain().trail(for: repository("q.io"))
    #expect(trail[6].said == "no entry for q.io, only for \"q.io/t\"")
  }

  @Test("a source that cannot be asked ends the search, in the trail too")
  func failed() async throws {
    try account.write("run/containers/auth.json", "{")
    try account.write("home/.docker/config.json", Self.entry("alice"))
    await #expect(throws: CredentialError.self) { try await account.find(target) }
    let trail = await account.chain().trail(for: target)
    #expect(
      trail.dropFirst(4).map(\.outcome) == [.failed, .notAsked, .notAsked, .notAsked])
    #expect(trail[4].error is CredentialError)
    #expect(
      trail[4].said
        == "credentials in \"\(account.path)/run/containers/auth.json\": not valid JSON: expected a key in double quotes at byte 1"
    )
  }

  @Test("-v names the source and not the credential")
  func detail() async throws {
    try account.write("home/.docker/config.json", Self.entry("alice"))
    let provider = account.chain().provider
    _ = try await provider.find(target, nil)
    _ = try await provider.find(repository("quay.io/x"), nil)
    #expect(
      account.told == [
        "credential for ghcr.io: \"ghcr.io\" of \"\(account.path)/home/.docker/config.json\"",
        "credential for quay.io: none, so anonymous",
      ])
  }
}

@Suite("CredentialChain after a refusal") struct RefusedCredentialTests {
  private let account: Account
  private let target = repository("123456789012.dkr.ecr.eu-west-1.amazonaws.com/app")

  init() throws {
    account = try Account()
    try account.write(
      "home/.docker/config.json",
      #"{"auths":{"\#(target.registry)":{"auth":"\#(base64("AWS:expired"))"}}}"#)
  }

  /// Gives `AWS:1`, `AWS:2`, … whenever what it gave before is refused.
  private final class Amazon: Sendable {
    private let number = Mutex(1)
    let calls = Mutex<[String?]>([])

    var lookup: AmazonLookup {
      { [self] registry, rejected in
        guard registry.host.hasSuffix("amazonaws.com") else { return nil }
        calls.withLock { $0.append(rejected?.source) }
        let number = number.withLock { number in
          if rejected?.credential == basic("AWS", "\(number)") { number += 1 }
          return number
        }
        return FoundCredential(
          basic("AWS", "\(number)"), source: "Amazon ECR", isRenewable: true)
      }
    }
  }

  @Test(
    "an expired password of a file is replaced by Amazon's, and by its next when that ends, too")
  func replaced() async throws {
    let amazon = Amazon()
    let provider = account.chain(amazon: amazon.lookup).provider
    let stale = try #require(try await provider.find(target, nil))
    #expect(stale.credential == basic("AWS", "expired"))
    #expect(amazon.calls.withLock(\.count) == 0)
    let first = try #require(try await provider.find(target, stale))
    #expect(first.credential == basic("AWS", "1"))
    #expect(try await provider.find(target, nil)?.credential == basic("AWS", "1"))
    // Another upload, refused with the old one, takes what is there.
    #expect(try await provider.find(target, stale)?.credential == basic("AWS", "1"))
    #expect(try await provider.find(target, first)?.credential == basic("AWS", "2"))
    #expect(amazon.calls.withLock { $0.compactMap { $0 } } == [stale.source, "Amazon ECR"])
  }

  @Test("another registry's refusal is final")
  func otherRegistry() async throws {
    let provider = account.chain(amazon: Amazon().lookup).provider
    let stale = FoundCredential(basic("a", "b"), source: "a file")
    #expect(try await provider.find(repository("ghcr.io/a"), stale) == nil)
  }

  @Test("what the command line gave has no substitute")
  func given() async throws {
    let given = GivenCredential(
      basic("AWS", "typed"), for: target.registry, option: "--username")
    let provider = account.chain(given: [given], amazon: Amazon().lookup).provider
    let found = try #require(try await provider.find(target, nil))
    #expect(found.credential == basic("AWS", "typed"))
    #expect(try await provider.find(target, found) == nil)
  }

  @Test("where Amazon gives none either, the refusal stands and a warning says why")
  func failed() async throws {
    let provider = account.chain(amazon: { _, _ in throw CredentialError.noFile }).provider
    let stale = try #require(try await provider.find(target, nil))
    #expect(try await provider.find(target, stale) == nil)
    #expect(
      account.told.last
        == "warning: \(target.registry) refused the credential of \(stale.source), and Amazon ECR gave no other: \(CredentialError.noFile)"
    )
  }
}
