package import OCISpec
import Reporting
import Synchronization

/// Amazon ECR's passwords, for whatever AWS credentials the machine has.
///
/// A class, because the passwords it has are shared by all who ask. They are in memory only.
package final class ECRCredentials: Sendable {
  /// What the credential is for, where that is known.
  package enum Access: Sendable { case pull, push }

  let surroundings: AWSSurroundings
  private let chain: AWSCredentialChain
  private let passwords = ExpiringValues<AWSEndpoint, FoundCredential?>()
  private let lastOutcome = Mutex<String?>(nil)

  private static let margin: Int64 = 300
  private static let longestUse: Int64 = 12 * 3600
  private static let shortUse: Int64 = 3600
  private static let tokenLimit = 64 << 10

  package init(_ surroundings: AWSSurroundings) {
    self.surroundings = surroundings
    chain = AWSCredentialChain(surroundings)
  }

  /// What each place said that was asked for AWS credentials, and the service at the end. Empty before the
  /// first look-up.
  package var trail: AWSTrail {
    chain.trail + (lastOutcome.withLock { $0 }.map { [("Amazon ECR", $0)] } ?? [])
  }

  /// A password, made on the first call and kept until five minutes before it ends. It is good for every
  /// registry of its region that lets these AWS credentials in.
  /// - Parameter rejected: what the registry has refused a moment ago; a new one is made in its place.
  /// - Returns: `nil` for registries that are not Amazon ECR's, where there are no AWS credentials, and for
  ///   pulling from ECR Public, which needs none. Where it is not known whether a credential for ECR Public
  ///   is for pushing, a refusal by AWS is `nil` too; ``trail`` has it.
  package func credential(
    for registry: Registry, access: Access? = nil, rejected: FoundCredential? = nil
  ) async throws -> FoundCredential? {
    guard let registry = ECRRegistry(registry) else { return nil }
    if registry == .gallery, access == .pull {
      lastOutcome.withLock { $0 = "not asked: everybody may pull from ECR Public" }
      return nil
    }
    do {
      let operation = try registry.operation("GetAuthorizationToken", at: surroundings)
      let found = try await passwords.value(
        for: operation.endpoint, now: surroundings.clock.now,
        unless: { $0 != nil && $0?.credential == rejected?.credential }
      ) { try await newPassword(registry, operation) }
      lastOutcome.withLock { $0 = found == nil ? "not asked: no AWS credentials" : "used" }
      return found
    } catch {
      lastOutcome.withLock { $0 = "\(error)" }
      if registry == .gallery, access == nil, !(error is CancellationError) { return nil }
      throw error
    }
  }

  private func newPassword(
    _ registry: ECRRegistry, _ operation: AWSOperation
  ) async throws -> (value: FoundCredential?, until: Int64) {
    guard let credentials = try await chain.credentials(near: registry.region) else {
      return (nil, surroundings.clock.now + Self.margin)
    }
    let response = try await perform(operation, of: registry, as: credentials)
    let (credential, expiration) = try read(response, of: operation)
    let now = surroundings.clock.now
    let until = expiration.map { min($0, now + Self.longestUse) - Self.margin }
    let source = "\(registry.name) for AWS credentials from \(credentials.source)"
    return (
      FoundCredential(credential, source: source, isRenewable: true), until ?? now + Self.shortUse
    )
  }

  /// Calls the registry's API with the machine's AWS credentials, renewed once where they are refused.
  /// - Returns: `nil` where there are none.
  func perform(_ operation: AWSOperation, of registry: ECRRegistry) async throws -> ServiceResponse?
  {
    guard let credentials = try await chain.credentials(near: registry.region) else { return nil }
    return try await perform(operation, of: registry, as: credentials)
  }

  private func perform(
    _ operation: AWSOperation, of registry: ECRRegistry, as credentials: AWSCredentials
  ) async throws -> ServiceResponse {
    try await AWSCaller(surroundings: surroundings).perform(operation, as: credentials) {
      try await self.chain.credentials(near: registry.region, rejected: $0)
    }
  }

  private func read(
    _ response: ServiceResponse, of operation: AWSOperation
  ) throws -> (credential: Credential, expiration: Int64?) {
    func failure(_ problem: String) -> AWSError {
      .malformedAnswer(
        action: operation.action, host: operation.endpoint.authority, problem: problem)
    }
    guard let document = try? JSON(parsing: response.body) else { throw failure("expected JSON") }
    let data = document["authorizationData"]
    // A list with one element; ECR Public answers with the element.
    let entry = data?.arrayValue?.first ?? data
    guard let token = entry?["authorizationToken"]?.stringValue else {
      throw failure("expected a token, found none")
    }
    guard token.utf8.count <= Self.tokenLimit else {
      throw failure(
        "expected a token of at most \(Self.tokenLimit) bytes, found \(token.utf8.count)")
    }
    guard let bytes = decodedBase64(token), let text = String(validating: bytes, as: UTF8.self),
      let colon = text.firstIndex(of: ":"), !text.hasPrefix(":"), !text.hasSuffix(":"),
      text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
    else { throw failure("expected a token that is user:password in base64, found other text") }
    let password = Secret(String(text[text.index(after: colon)...]))
    return (
      .basic(user: String(text[..<colon]), password: password),
      entry?["expiresAt"].flatMap(Self.seconds)
    )
  }

  /// Seconds since 1970, which AWS writes with a fraction.
  private static func seconds(_ value: JSON) -> Int64? {
    if case .decimal(let text) = value {
      return Double(text).flatMap { Int64(exactly: $0.rounded(.down)) }
    }
    return value.integerValue
  }
}
