/// Sends operations until they are answered, within registry.md, D.1: at most five attempts, waits that grow.
struct AWSCaller: Sendable {
  let surroundings: AWSSurroundings

  static let attemptLimit = 5
  private static let longestRetryAfter = Duration.seconds(120)
  private static let longestDelay = Duration.seconds(30)

  /// - Parameters:
  ///   - credentials: what to sign with; `nil` sends the request unsigned.
  ///   - renew: fresher credentials in place of those that were refused, or `nil`. Asked at most once.
  /// - Returns: an answer with a status of success.
  /// - Throws: ``AWSServiceError``, or ``AWSError/noAnswer(action:host:_:attempts:)``.
  func perform(
    _ operation: AWSOperation, as credentials: AWSCredentials? = nil,
    renew: (AWSCredentials) async throws -> AWSCredentials? = { _ in nil }
  ) async throws -> ServiceResponse {
    var credentials = credentials
    var endpoint = operation.endpoint, alternative = operation.alternative
    var hasCorrectedClock = false, hasRenewed = false
    var attempt = 0
    while true {
      attempt += 1
      switch try await send(operation, to: endpoint, as: credentials, attempt: attempt) {
      case .answered(let response): return response
      case .unknownHost(let error):
        guard let other = alternative else { throw error }
        (endpoint, alternative) = (other, nil)
      case .mayPass(let error, let wait):
        guard attempt < Self.attemptLimit, wait <= Self.longestRetryAfter else { throw error }
        try await surroundings.sleep(wait)
      case .refused(let error):
        guard attempt < Self.attemptLimit else { throw error }
        if error.blamesSignature, !hasCorrectedClock, let date = error.date,
          surroundings.clock.adopt(date)
        {
          hasCorrectedClock = true
        } else if error.blamesSignature || error.blamesCredentials, !hasRenewed,
          let rejected = credentials, let fresh = try await renew(rejected)
        {
          hasRenewed = true
          credentials = fresh
        } else {
          throw error
        }
      }
    }
  }

  private enum Outcome {
    case answered(ServiceResponse)
    case unknownHost(AWSError)
    case mayPass(any Error, after: Duration)
    case refused(AWSServiceError)
  }

  private func send(
    _ operation: AWSOperation, to endpoint: AWSEndpoint, as credentials: AWSCredentials?,
    attempt: Int
  ) async throws -> Outcome {
    var request = operation.request(to: endpoint)
    if let credentials {
      request = try SignatureV4(credentials, region: operation.region, service: operation.service)
        .signed(request, at: surroundings.clock.now)
    }
    let response: ServiceResponse
    do { response = try await surroundings.exchange(request) } catch let error as CancellationError
    {
      throw error
    } catch {
      let reason = error as? NoAnswer ?? NoAnswer(.interrupted, "\(error)")
      let failure = AWSError.noAnswer(
        action: operation.action, host: endpoint.authority, reason, attempts: attempt)
      switch reason.reason {
      case .unknownHost: return .unknownHost(failure)
      case .untrusted: throw failure
      case .interrupted: return .mayPass(failure, after: delay(attempt))
      }
    }
    if (200..<300).contains(response.status) { return .answered(response) }
    var error = AWSServiceError(
      response, of: operation, host: endpoint.authority, credentials: credentials,
      now: surroundings.clock.now)
    error.attempts = attempt
    return error.isTransient
      ? .mayPass(error, after: error.retryAfter ?? delay(attempt)) : .refused(error)
  }

  private func delay(_ attempt: Int) -> Duration {
    let longest = min(Self.longestDelay, .milliseconds(500) * (1 << min(attempt - 1, 16)))
    return longest * (0.5 + surroundings.jitter() / 2)
  }
}
