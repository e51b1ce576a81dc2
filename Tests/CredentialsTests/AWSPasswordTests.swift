import Foundation
import OCISpec
import Synchronization
import TestSupport
import Reporting
import SystemPackage
import Testing

@testable import Credentials

@Suite struct ECRCredentialsTests {
  private static let registry = Registry(host: "123456789012.dkr.ecr.eu-west-1.amazonaws.com")
  private static let gallery = Registry(host: "public.ecr.aws")
  private static let start: Int64 = 1_767_225_600
  private static let expires = "1767268800.5"  // 12 h later

  private static func answer(_ number: Int) -> ServiceResponse {
    .password(Data("AWS:password\(number)".utf8).base64EncodedString(), expires: expires)
  }

  private func provider(
    _ script: AWSScript, _ variables: [String: String] = exampleKeys,
    clock: StoppedClock = StoppedClock()
  ) -> ECRCredentials {
    ECRCredentials(AWSSurroundings(variables, script.exchange, clock: clock))
  }

  private func password(_ found: FoundCredential?) -> String? {
    guard case .basic("AWS", let password) = found?.credential else { return nil }
    return password.reveal()
  }

  @Test("one signed request gives a password for Basic")
  func signedRequest() async throws {
    let script = AWSScript { _, number in Self.answer(number) }
    let found = try await provider(script).credential(for: Self.registry)
    #expect(password(found) == "password0" && found?.isRenewable == true)
    #expect(found?.source == "Amazon ECR in eu-west-1 for AWS credentials from AWS_ACCESS_KEY_ID")
    let request = try #require(script.requests.first)
    #expect(request.method == "POST" && request.url == "https://api.ecr.eu-west-1.amazonaws.com/")
    #expect(request.text == "{}" && request["Content-Type"] == "application/x-amz-json-1.1")
    #expect(
      request["X-Amz-Target"] == "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken")
    #expect(
      request["Authorization"]?.hasPrefix(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-west-1/ecr/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target,"
      ) == true)
  }

  @Test("E7: other registries are nobody's business here")
  func strangers() async throws {
    let script = AWSScript { _, number in Self.answer(number) }
    let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.io"
    #expect(try await provider(script).credential(for: Registry(host: host)) == nil)
    #expect(script.requests.isEmpty)
  }

  @Test("without AWS credentials there is none, and the trail says where they were looked for")
  func noCredentials() async throws {
    let script = AWSScript.silent
    let provider = provider(script, ["AWS_EC2_METADATA_DISABLED": "true"])
    #expect(try await provider.credential(for: Self.registry) == nil)
    #expect(provider.trail.count == 6)
    #expect(provider.trail.last?.outcome == "not asked: no AWS credentials")
    #expect(script.requests.isEmpty)
  }

  @Test(
    "E8: a password is kept until five minutes before it ends, for all registries of the region")
  func expiry() async throws {
    let clock = StoppedClock()
    let script = AWSScript { _, number in Self.answer(number) }
    let provider = provider(script, clock: clock)
    let neighbour = Registry(host: "999999999999.dkr.ecr.eu-west-1.amazonaws.com")
    let later = 12 * 3600 - 300 as Int64
    for (registry, time, expected) in [
      (Self.registry, 0, "password0"), (neighbour, later - 1, "password0"),
      (Self.registry, later, "password1"),
    ] {
      clock.now = Self.start + time
      #expect(password(try await provider.credential(for: registry)) == expected)
    }
    let other = Registry(host: "123456789012.dkr.ecr.us-east-1.amazonaws.com")
    #expect(password(try await provider.credential(for: other)) == "password2")
  }

  @Test(
    "a password whose end is not known or long ago is used, and not kept for long",
    arguments: [("\"soon\"", 3599, 3600), ("1", 0, 0), ("1e300", 3599, 3600)]
      as [(String, Int64, Int64)])
  func oddExpiry(_ expires: String, keptFor: Int64, renewedAfter: Int64) async throws {
    let clock = StoppedClock()
    let script = AWSScript { _, number in
      .password(Data("AWS:password\(number)".utf8).base64EncodedString(), expires: expires)
    }
    let provider = provider(script, clock: clock)
    #expect(password(try await provider.credential(for: Self.registry)) == "password0")
    if keptFor > 0 {
      clock.now = Self.start + keptFor
      #expect(password(try await provider.credential(for: Self.registry)) == "password0")
    }
    clock.now = Self.start + renewedAfter
    #expect(password(try await provider.credential(for: Self.registry)) == "password1")
  }

  @Test("a password that the registry refuses is made anew, once for all who had it")
  func rejected() async throws {
    let script = AWSScript { _, number in Self.answer(number) }
    let provider = provider(script)
    let first = try await provider.credential(for: Self.registry)
    for _ in 0..<3 {
      let second = try await provider.credential(for: Self.registry, rejected: first)
      #expect(password(second) == "password1")
    }
    #expect(script.requests.count == 2)
    let stranger = FoundCredential(.basic(user: "AWS", password: Secret("old")), source: "a file")
    #expect(
      password(try await provider.credential(for: Self.registry, rejected: stranger)) == "password1"
    )
  }

  @Test("a hundred who ask at once make one request")
  func singleFlight() async throws {
    let script = AWSScript { _, number in Self.answer(number) }
    let gate = script.exchange
    let surroundings = AWSSurroundings(
      exampleKeys,
      { request in
        try await Task.sleep(for: .milliseconds(50))
        return try await gate(request)
      })
    let provider = ECRCredentials(surroundings)
    let passwords = try await withThrowingTaskGroup(of: FoundCredential?.self) { group in
      for _ in 0..<100 { group.addTask { try await provider.credential(for: Self.registry) } }
      return try await group.reduce(into: Set()) { $0.insert($1) }
    }
    #expect(passwords.count == 1 && script.requests.count == 1)
  }

  @Test("whoever gives up while others wait leaves the work to the next")
  func givingUp() async throws {
    let script = AWSScript { _, number in Self.answer(number) }
    let gate = script.exchange
    let provider = ECRCredentials(
      AWSSurroundings(
        exampleKeys,
        { request in
          let response = try await gate(request)
          if script.requests.count == 1 { try await Task.sleep(for: .seconds(60)) }
          return response
        }))
    let first = Task { try await provider.credential(for: Self.registry) }
    while script.requests.isEmpty { await Task.yield() }
    let second = Task { try await provider.credential(for: Self.registry) }
    let third = Task { try await provider.credential(for: Self.registry) }
    try await Task.sleep(for: .milliseconds(50))
    third.cancel()
    await #expect(throws: CancellationError.self) { try await third.value }
    first.cancel()
    await #expect(throws: CancellationError.self) { try await first.value }
    #expect(password(try await second.value) == "password1")
  }

  @Test("E1: a wrong clock is put right by the service's date, once")
  func wrongClock() async throws {
    let date = "Thu, 01 Jan 2026 09:00:00 GMT"
    let script = AWSScript { _, number in
      number == 0 ? .failure(403, "InvalidSignatureException", date: date) : Self.answer(number)
    }
    let provider = provider(script)
    #expect(password(try await provider.credential(for: Self.registry)) == "password1")
    #expect(script.requests.map { $0["X-Amz-Date"] } == ["20260101T000000Z", "20260101T090000Z"])
    let stubborn = AWSScript { _, _ in .failure(403, "InvalidSignatureException", date: date) }
    await #expect {
      try await self.provider(stubborn).credential(for: Self.registry)
    } throws: {
      ($0 as? AWSServiceError)?.kind == .denied && "\($0)".contains("this machine's clock")
    }
    // At first, with the right time, with credentials that were looked up again.
    #expect(stubborn.requests.count == 3)
  }

  @Test(
    "E2: expired credentials are read again, once",
    arguments: ["ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException"])
  func expiredToken(_ code: String) async throws {
    let directory = try TemporaryDirectory()
    func write(_ key: String) throws -> String {
      try directory.write("keys", "[default]\naws_access_key_id=\(key)\naws_secret_access_key=s")
        .string
    }
    let path = try write("OLD")
    let script = AWSScript { request, number in
      if request["Authorization"]?.contains("NEW") == true { return Self.answer(number) }
      try directory.write("keys", "[default]\naws_access_key_id=NEW\naws_secret_access_key=s")
      return .failure(400, code)
    }
    let found = try await provider(script, ["AWS_SHARED_CREDENTIALS_FILE": path])
      .credential(for: Self.registry)
    #expect(password(found) == "password1" && script.requests.count == 2)
    let stubborn = AWSScript { _, _ in .failure(400, code) }
    await #expect {
      try await provider(stubborn, ["AWS_SHARED_CREDENTIALS_FILE": path]).credential(
        for: Self.registry)
    } throws: { ($0 as? AWSServiceError)?.code == code }
    #expect(stubborn.requests.count == 2)
  }

  @Test("a denial is final and names the permission that is missing")
  func denied() async throws {
    let script = AWSScript { _, _ in
      ServiceResponse(
        400, #"{"message":"User: arn:aws:iam::1:user/u is not authorized"}"#,
        [("X-Amzn-ErrorType", "AccessDeniedException:http://internal.amazon.com/coral/")])
    }
    await #expect {
      try await provider(script).credential(for: Self.registry)
    } throws: { error in
      (error as? AWSServiceError)?.kind == .denied
        && "\(error)" == "calling ecr:GetAuthorizationToken at api.ecr.eu-west-1.amazonaws.com: "
          + "status 400, AccessDeniedException: User: arn:aws:iam::1:user/u is not authorized; "
          + "the AWS credentials are from AWS_ACCESS_KEY_ID; allow ecr:GetAuthorizationToken to them in IAM"
    }
    #expect(script.requests.count == 1)
  }

  @Test(
    "E6: a throttled service is asked again, more slowly",
    arguments: [(400, "ThrottlingException"), (500, "ServerException"), (503, ""), (429, "")])
  func throttled(_ status: Int, code: String) async throws {
    let clock = StoppedClock()
    let script = AWSScript { _, number in
      number < 2 ? .failure(status, code) : Self.answer(number)
    }
    #expect(
      password(try await provider(script, clock: clock).credential(for: Self.registry))
        == "password2")
    #expect(clock.waits == [.milliseconds(250), .milliseconds(500)])
  }

  @Test("a service that stays down is given up after five attempts")
  func down() async throws {
    let script = AWSScript { _, _ in .failure(503, "ServiceUnavailable") }
    await #expect {
      try await provider(script).credential(for: Self.registry)
    } throws: { ($0 as? AWSServiceError)?.attempts == 5 && "\($0)".contains("after 5 attempts") }
    #expect(script.requests.count == 5)
  }

  @Test("Retry-After decides the wait, up to two minutes")
  func retryAfter() async throws {
    let clock = StoppedClock()
    let script = AWSScript { _, number in
      let waits = ["7", "Thu, 01 Jan 2026 00:00:09 GMT", "nonsense"]
      return number < 3
        ? ServiceResponse(503, "", [("Retry-After", waits[number])]) : Self.answer(number)
    }
    _ = try await provider(script, clock: clock).credential(for: Self.registry)
    #expect(clock.waits == [.seconds(7), .seconds(9), .seconds(1)])
    let long = AWSScript { _, _ in ServiceResponse(503, "", [("Retry-After", "121")]) }
    await #expect(throws: AWSServiceError.self) {
      try await provider(long).credential(for: Self.registry)
    }
    #expect(long.requests.count == 1)
  }

  @Test("no answer may pass; an unknown name and a bad certificate do not")
  func noAnswer() async throws {
    for (reason, count) in [(NoAnswer.Reason.interrupted, 5), (.unknownHost, 1), (.untrusted, 1)] {
      let script = AWSScript { _, _ in throw NoAnswer(reason, "it failed") }
      await #expect {
        try await provider(script).credential(for: Self.registry)
      } throws: { "\($0)".contains("it failed") }
      #expect(script.requests.count == count)
    }
  }

  @Test("a FIPS service is looked for under both of its names")
  func fips() async throws {
    let script = AWSScript { request, number in
      if request.url.contains("//ecr-fips.") { throw NoAnswer(.unknownHost, "no such host") }
      return Self.answer(number)
    }
    let registry = Registry(host: "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com")
    #expect(password(try await provider(script).credential(for: registry)) == "password1")
    #expect(script.requests.last?.url == "https://api.ecr-fips.us-east-1.amazonaws.com/")
  }

  @Test(
    "E5: a token that is no user and password is an error that does not show it",
    arguments: [
      "%%%", "hidden", "QVdT", "OmhpZGRlbg==", "QVdTOg==", "QVdTOmEKYg==", "QVdTOv8=", "",
      String(repeating: "QUFB", count: 17_000),
    ])
  func garbage(_ token: String) async throws {
    let script = AWSScript { _, _ in .password(token, expires: Self.expires) }
    await #expect {
      try await provider(script).credential(for: Self.registry)
    } throws: { error in
      guard case AWSError.malformedAnswer? = error as? AWSError else { return false }
      return !"\(error)".contains("hidden") && "\(error)".utf8.count < 400
    }
    #expect(script.requests.count == 1)
    #expect(script.requests.allSatisfy { $0.responseLimit <= 96 << 10 })
  }

  @Test(
    "E5: answers that are no JSON, or have no token",
    arguments: ["", "<html>", "{}", #"{"authorizationData":[]}"#])
  func noToken(_ body: String) async throws {
    await #expect(throws: AWSError.self) {
      try await provider(AWSScript { _, _ in ServiceResponse(200, body) })
        .credential(for: Self.registry)
    }
  }

  @Test("a service that repeats what was signed does not bring the secrets into the error")
  func secrets() async throws {
    var keys = exampleKeys
    keys["AWS_SESSION_TOKEN"] = "session-secret"
    for message in ["wrong\\n\\nPOST session-secret", "wrong session-secret"] {
      let script = AWSScript { _, _ in
        ServiceResponse(403, #"{"__type":"InvalidSignatureException","message":"\#(message)"}"#)
      }
      await #expect {
        try await provider(script, keys).credential(for: Self.registry)
      } throws: { !"\($0)".contains("session-secret") && "\($0)".contains("InvalidSignature") }
    }
  }

  @Test("ECR Public: signed in us-east-1 for pushing, not asked for pulling")
  func publicRegistry() async throws {
    let script = AWSScript { _, _ in
      ServiceResponse(
        200, #"{"authorizationData":{"authorizationToken":"QVdTOmE=","expiresAt":1767268800}}"#)
    }
    let provider = provider(script)
    #expect(try await provider.credential(for: Self.gallery, access: .pull) == nil)
    #expect(script.requests.isEmpty)
    #expect(password(try await provider.credential(for: Self.gallery, access: .push)) == "a")
    let request = try #require(script.requests.first)
    #expect(request.url == "https://api.ecr-public.us-east-1.amazonaws.com/")
    #expect(request["X-Amz-Target"] == "SpencerFrontendService.GetAuthorizationToken")
    #expect(request["Authorization"]?.contains("/us-east-1/ecr-public/aws4_request") == true)
  }

  @Test("ECR Public: a refusal stops a push and nothing else")
  func publicRefusal() async throws {
    let script = AWSScript { _, _ in .failure(400, "AccessDeniedException") }
    let provider = provider(script)
    await #expect(throws: AWSServiceError.self) {
      try await provider.credential(for: Self.gallery, access: .push)
    }
    #expect(try await provider.credential(for: Self.gallery) == nil)
    #expect(provider.trail.last?.outcome.contains("AccessDeniedException") == true)
  }
}
