import Reporting
import Synchronization

/// The places where AWS credentials may be, in the order of AWS's own tools (registry.md, C.7): the first that
/// has some wins. A place that is not configured is passed over; one that is configured and fails is an
/// error.
///
/// A class, because what it found is shared by all who ask.
package final class AWSCredentialChain: Sendable {
  private let surroundings: AWSSurroundings
  private let found = ExpiringValues<String, AWSCredentials?>()
  private let lastTrail = Mutex<AWSTrail>([])

  /// Credentials are renewed this long before they end, and looked up again after an hour at the latest.
  private static let margin: Int64 = 300
  private static let longestUse: Int64 = 3600

  package init(_ surroundings: AWSSurroundings) { self.surroundings = surroundings }

  /// What each place said at the last look-up.
  package var trail: AWSTrail { lastTrail.withLock { $0 } }

  /// - Parameters:
  ///   - region: the region whose STS is asked where neither environment nor profile names one.
  ///   - rejected: what AWS has refused a moment ago.
  /// - Returns: `nil` where no place has credentials.
  package func credentials(
    near region: String, rejected: AWSCredentials? = nil
  ) async throws -> AWSCredentials? {
    try await found.value(
      for: "", now: surroundings.clock.now, unless: { $0 != nil && $0 == rejected }
    ) {
      let credentials = try await lookUp(near: region)
      let latest = surroundings.clock.now + Self.longestUse
      guard let credentials else { return (nil, surroundings.clock.now + Self.margin) }
      return (credentials, min(latest, credentials.expiration.map { $0 - Self.margin } ?? latest))
    }
  }

  private struct Place {
    let name: String
    let find: () async throws -> AWSOutcome
  }

  private func lookUp(near region: String) async throws -> AWSCredentials? {
    var trail: AWSTrail = []
    defer { lastTrail.withLock { $0 = trail } }
    for place in places(near: region) {
      do {
        switch try await place.find() {
        case .found(let credentials):
          trail.append((place.name, "used"))
          return credentials
        case .absent(let why): trail.append((place.name, why))
        }
      } catch {
        trail.append((place.name, "\(error)"))
        throw error
      }
    }
    return nil
  }

  private func places(near region: String) -> [Place] {
    if let profile = surroundings.profile {
      return [
        Place(name: "--aws-profile") { try await self.profile(profile, near: region, must: true) }
      ]
    }
    let surroundings = surroundings
    let named = surroundings.variable("AWS_PROFILE") ?? surroundings.variable("AWS_DEFAULT_PROFILE")
    return [
      Place(name: "environment") { try EnvironmentCredentials(surroundings: surroundings).find() },
      Place(name: "web identity") {
        try await WebIdentityCredentials(surroundings: surroundings, region: region).find()
      },
      Place(name: "profile \((named ?? "default").quoted)") {
        try await self.profile(named ?? "default", near: region, must: named != nil)
      },
      Place(name: "container") {
        try await ContainerCredentials(surroundings: surroundings).find()
      },
      Place(name: "instance metadata") {
        try await InstanceCredentials(surroundings: surroundings).find()
      },
    ]
  }

  /// - Parameter mustExist: whether somebody asked for this profile.
  private func profile(
    _ name: String, near region: String, must mustExist: Bool
  ) async throws -> AWSOutcome {
    let profiles = try await AWSProfiles(surroundings)
    guard profiles[name] != nil else {
      if mustExist { throw AWSError.noSuchProfile(name, files: profiles.files) }
      guard !profiles.files.isEmpty else { return .absent("HOME is not set") }
      let files = profiles.files.map(\.quoted).joined(separator: " or ")
      return .absent((["not in \(files)"] + profiles.skipped).joined(separator: "; "))
    }
    let resolver = ProfileCredentials(
      surroundings: surroundings, profiles: profiles, region: region)
    if let credentials = try await resolver.find(name) { return .found(credentials) }
    guard surroundings.profile == nil else {
      throw AWSError.unusableProfile(name, problem: "it has no credentials")
    }
    return .absent("it has no credentials")
  }
}
