import OCISpec
import TestSupport
import SystemPackage
import Testing

@testable import Credentials

@Suite struct ContainerCredentialsTests {
  private static let keys =
    #"{"AccessKeyId":"A","SecretAccessKey":"B","Token":"C","Expiration":"2026-01-01T06:00:00Z"}"#

  private func find(_ variables: [String: String], _ script: AWSScript) async throws
    -> AWSCredentials?
  {
    let surroundings = AWSSurroundings(variables, script.exchange)
    guard case .found(let found) = try await ContainerCredentials(surroundings: surroundings).find()
    else { return nil }
    return found
  }

  @Test("ECS: a path at the link's own address, never through a proxy")
  func relative() async throws {
    let script = AWSScript { _, _ in ServiceResponse(200, Self.keys) }
    let found = try await find(
      [
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/id",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "secret",
      ], script)
    #expect(found?.accessKeyID == "A" && found?.sessionToken?.reveal() == "C")
    #expect(found?.expiration == 1_767_247_200)
    let request = try #require(script.requests.first)
    #expect(request.url == "http://169.254.170.2/v2/credentials/id" && request.method == "GET")
    #expect(request["Authorization"] == "secret" && !request.mayUseProxy)
  }

  @Test(
    "plain http goes to the machine and its link only",
    arguments: [
      "http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1", "http://127.0.0.1:8080/",
      "http://localhost/x", "http://[::1]:1/", "http://169.254.170.2/", "https://example.com/x",
    ])
  func full(_ url: String) async throws {
    let script = AWSScript { _, _ in ServiceResponse(200, Self.keys) }
    #expect(try await find(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url], script)?.accessKeyID == "A")
    #expect(script.requests.map(\.url) == [url])
  }

  @Test(
    "E4: any other host over plain http is refused, and not asked",
    arguments: [
      "http://example.com/", "http://10.0.0.1/", "http://169.254.169.254/",
      "http://127.0.0.1.evil.io/",
      "http://localhost.evil.io/", "http://[fd00:ec2::24]/",
    ])
  func refused(_ url: String) async throws {
    let script = AWSScript { _, _ in ServiceResponse(200, Self.keys) }
    await #expect {
      try await find(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url], script)
    } throws: {
      guard case AWSError.unusableEndpoint(_, .plainHTTP)? = $0 as? AWSError else { return false }
      return true
    }
    #expect(script.requests.isEmpty)
  }

  @Test(
    "addresses that nobody can read are refused",
    arguments: [
      ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "@evil.io/"],
      ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "v2"],
      ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/a\r\nb"],
      ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.1/"],
      ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "file:///etc/passwd"],
    ])
  func malformed(_ variables: [String: String]) async throws {
    let script = AWSScript { _, _ in ServiceResponse(200, Self.keys) }
    await #expect(throws: AWSError.self) { try await find(variables, script) }
    #expect(script.requests.isEmpty)
  }

  @Test("the token's file comes before the token, is read each time, and has no line breaks")
  func tokenFile() async throws {
    let directory = try TemporaryDirectory()
    let script = AWSScript { _, _ in ServiceResponse(200, Self.keys) }
    let variables = [
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "x",
      "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": directory.path.appending("token").string,
    ]
    await #expect(throws: AWSError.self) { try await find(variables, script) }
    for token in ["one", "two"] {
      try directory.write("token", token)
      _ = try await find(variables, script)
    }
    #expect(script.requests.map { $0["Authorization"] } == ["one", "two"])
    for token in ["a\n", "a\r\nX: y"] {
      try directory.write("token", token)
      await #expect {
        try await find(variables, script)
      } throws: {
        guard case AWSError.unusableVariable? = $0 as? AWSError else { return false }
        return !"\($0)".contains("X: y")
      }
    }
    #expect(script.requests.count == 2)
  }

  @Test("an endpoint that fails is an error, as somebody configured it")
  func failures() async throws {
    let variables = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/"]
    let denied = AWSScript { _, _ in
      ServiceResponse(404, #"{"code":"NoId","message":"no such id"}"#)
    }
    await #expect {
      try await find(variables, denied)
    } throws: { "\($0)".contains("status 404, NoId: no such id") }
    #expect(denied.requests.count == 1)
    let down = AWSScript { _, _ in ServiceResponse(503) }
    await #expect(throws: AWSServiceError.self) { try await find(variables, down) }
    #expect(down.requests.count == 5)
    await #expect {
      try await find(variables, .silent)
    } throws: {
      guard case AWSError.noAnswer(_, _, _, 5)? = $0 as? AWSError else { return false }
      return true
    }
    let odd = AWSScript { _, _ in ServiceResponse(200, "<html>") }
    await #expect(throws: AWSError.self) { try await find(variables, odd) }
  }

  @Test("a real one on loopback")
  func loopback() async throws {
    try await LoopbackServer.run { request in
      request.contains("GET /task HTTP/1.1") && request.contains("Authorization: tok")
        ? "200 OK\r\n\r\n\(Self.keys)" : "400 Bad Request\r\n\r\n"
    } body: { server in
      let surroundings = AWSSurroundings(
        [
          "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:\(server.port)/task",
          "AWS_CONTAINER_AUTHORIZATION_TOKEN": "tok",
        ], loopbackExchange)
      let found = try await AWSCredentialChain(surroundings).credentials(near: "us-east-1")
      #expect(found?.accessKeyID == "A")
    }
  }
}

@Suite struct InstanceCredentialsTests {
  private static let token = "/latest/api/token"
  private static let folder = "/latest/meta-data/iam/security-credentials/"
  private static let keys =
    #"{"Code":"Success","AccessKeyId":"A","SecretAccessKey":"B","Token":"C","Expiration":"2026-01-01T06:00:00Z"}"#

  private static func answer(_ request: ServiceRequest) -> ServiceResponse {
    switch (request.method, request.url.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" }) {
    case ("PUT", token[...]): ServiceResponse(200, "session")
    case ("GET", folder[...]): ServiceResponse(200, "my-role\n")
    case ("GET", "\(folder)my-role"): ServiceResponse(200, keys)
    default: ServiceResponse(500)
    }
  }

  private func find(
    _ script: AWSScript, _ variables: [String: String] = [:]
  ) async throws -> AWSOutcome {
    try await InstanceCredentials(surroundings: AWSSurroundings(variables, script.exchange)).find()
  }

  private func absence(_ script: AWSScript, _ variables: [String: String] = [:]) async throws
    -> String?
  {
    guard case .absent(let why) = try await find(script, variables) else { return nil }
    return why
  }

  @Test(
    "a token, the role, its credentials: three requests that are short and never through a proxy")
  func version2() async throws {
    let script = AWSScript { request, _ in Self.answer(request) }
    guard case .found(let found) = try await find(script) else {
      Issue.record("nothing found")
      return
    }
    #expect(found.accessKeyID == "A" && found.expiration == 1_767_247_200)
    let requests = script.requests
    #expect(
      requests.map { "\($0.method) \($0.url)" } == [
        "PUT http://169.254.169.254\(Self.token)", "GET http://169.254.169.254\(Self.folder)",
        "GET http://169.254.169.254\(Self.folder)my-role",
      ])
    #expect(requests[0]["X-aws-ec2-metadata-token-ttl-seconds"] == "300")
    #expect(requests[1]["X-aws-ec2-metadata-token"] == "session")
    #expect(
      requests.allSatisfy {
        !$0.mayUseProxy && $0.connectTimeout <= .milliseconds(250)
          && $0.timeout <= .milliseconds(500)
      })
  }

  @Test("E3: no metadata service costs one request and is no error")
  func unreachable() async throws {
    let script = AWSScript.silent
    #expect(try await absence(script) == "no answer from 169.254.169.254")
    #expect(script.requests.count == 1)
  }

  @Test(
    "E3: a service without version 2 is never asked by version 1", arguments: [401, 403, 404, 405])
  func version1(_ status: Int) async throws {
    let script = AWSScript { _, _ in ServiceResponse(status) }
    #expect(try await absence(script)?.contains("status \(status)") == true)
    #expect(script.requests.map(\.method) == ["PUT"])
  }

  @Test("E3: a token that is refused is renewed once")
  func refusedToken() async throws {
    let script = AWSScript { request, number in
      number == 1 ? ServiceResponse(401) : Self.answer(request)
    }
    guard case .found = try await find(script) else {
      Issue.record("nothing found")
      return
    }
    #expect(script.requests.map(\.method) == ["PUT", "GET", "PUT", "GET", "GET"])
    let stubborn = AWSScript { request, _ in
      request.method == "PUT" ? Self.answer(request) : ServiceResponse(401)
    }
    #expect(try await absence(stubborn)?.contains("status 401") == true)
    #expect(stubborn.requests.map(\.method) == ["PUT", "GET", "PUT", "GET"])
  }

  @Test(
    "role names that are none are not asked for",
    arguments: [
      "", "../../user-data", "a/b", "a b", "..", "a?b", String(repeating: "a", count: 65),
    ])
  func roleNames(_ name: String) async throws {
    let script = AWSScript { _, number in ServiceResponse(200, number == 0 ? "t" : name) }
    #expect(try await absence(script)?.contains("names no role") == true)
    #expect(script.requests.count == 2)
  }

  @Test("an instance without a role, and one whose role does not work")
  func roles() async throws {
    let none = AWSScript { _, number in
      number == 0 ? ServiceResponse(200, "t") : ServiceResponse(404)
    }
    #expect(try await absence(none) == "the instance has no role")
    let broken = AWSScript { _, number in
      ServiceResponse(200, ["t", "r", #"{"Code":"AssumeRoleUnauthorizedAccess"}"#][number])
    }
    await #expect(
      throws: AWSError.roleWithoutCredentials(role: "r", code: "AssumeRoleUnauthorizedAccess")
    ) { try await find(broken) }
  }

  @Test("a session token with a line break goes nowhere")
  func oddToken() async throws {
    let script = AWSScript { _, _ in ServiceResponse(200, "a\r\nX: y") }
    #expect(try await absence(script)?.contains("no header may have") == true)
    #expect(script.requests.count == 1)
  }

  @Test(
    "variables turn it off and move it",
    arguments: [
      (["AWS_EC2_METADATA_DISABLED": "TRUE"], nil),
      (
        ["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"],
        "http://127.0.0.1:9/latest/api/token"
      ),
      (
        ["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://a.test/x/"],
        "http://a.test/x/latest/api/token"
      ),
      (
        ["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "ipv6"],
        "http://[fd00:ec2::254]/latest/api/token"
      ),
      (
        ["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv4"],
        "http://169.254.169.254/latest/api/token"
      ),
    ] as [([String: String], String?)])
  func variables(_ variables: [String: String], url: String?) async throws {
    let script = AWSScript.silent
    _ = try await find(script, variables)
    #expect(script.requests.map(\.url) == (url.map { [$0] } ?? []))
  }

  @Test("variables that say nothing are an error")
  func badVariables() async throws {
    for variables in [
      ["AWS_EC2_METADATA_SERVICE_ENDPOINT": "169.254.169.254"],
      ["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "v4"],
    ] {
      await #expect(throws: AWSError.self) { try await find(.silent, variables) }
    }
  }

  @Test("a real one on loopback")
  func loopback() async throws {
    try await LoopbackServer.run { request in
      let line = request.prefix { $0 != "\r\n" }
      let isAllowed = request.lowercased().contains("\r\nx-aws-ec2-metadata-token: session\r\n")
      return switch line {
      case "PUT \(Self.token) HTTP/1.1": "200 OK\r\n\r\nsession"
      case "GET \(Self.folder) HTTP/1.1" where isAllowed: "200 OK\r\n\r\nmy-role"
      case "GET \(Self.folder)my-role HTTP/1.1" where isAllowed: "200 OK\r\n\r\n\(Self.keys)"
      default: "403 Forbidden\r\n\r\n"
      }
    } body: { server in
      let surroundings = AWSSurroundings(
        ["AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:\(server.port)"], loopbackExchange)
      let found = try await AWSCredentialChain(surroundings).credentials(near: "us-east-1")
      #expect(found?.source == "the instance metadata service (role \"my-role\")")
    }
  }
}
