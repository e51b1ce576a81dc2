import Synchronization
import TestSupport
import Reporting
import SystemPackage
import Testing

@testable import Credentials

/// registry.md, C.7, "Credential chain".
@Suite struct AWSCredentialChainTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private static func role(_ id: String, _ name: String = "AssumeRole") -> ServiceResponse {
    ServiceResponse(
      200,
      """
      <\(name)Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><\(name)Result>
      <Credentials><AccessKeyId>\(id)</AccessKeyId><SecretAccessKey>s&amp;cret</SecretAccessKey>
      <SessionToken>token</SessionToken><Expiration>2026-01-01T01:00:00Z</Expiration></Credentials>
      </\(name)Result></\(name)Response>
      """)
  }

  /// Variables for a machine whose AWS files have this content.
  private func files(
    config: String = "", credentials: String = "", _ more: [String: String] = [:]
  ) throws -> [String: String] {
    let variables = [
      "AWS_CONFIG_FILE": try directory.write("config", config).string,
      "AWS_SHARED_CREDENTIALS_FILE": try directory.write("credentials", credentials).string,
      "AWS_EC2_METADATA_DISABLED": "true",
    ]
    return variables.merging(more) { $1 }
  }

  private func find(
    _ variables: [String: String], _ script: AWSScript = .silent, profile: String? = nil,
    run: @escaping RunProgram = { _, _ in throw NoAnswer(.interrupted, "no program here") }
  ) async throws -> AWSCredentials? {
    let surroundings = AWSSurroundings(variables, script.exchange, profile: profile, run: run)
    return try await AWSCredentialChain(surroundings).credentials(near: "eu-west-1")
  }

  @Test("keys in the environment come first, and nothing is asked")
  func environment() async throws {
    let script = AWSScript.silent
    let found = try await find(
      exampleKeys.merging(
        try files(credentials: "[default]\naws_access_key_id=b\naws_secret_access_key=c")
      ) { a, _ in a }.merging(["AWS_SESSION_TOKEN": "t"]) { $1 }, script)
    #expect(found?.accessKeyID == "AKIDEXAMPLE" && found?.sessionToken?.reveal() == "t")
    #expect(script.requests.isEmpty)
  }

  @Test("half of the keys is an error")
  func halfOfTheKeys() async throws {
    let (id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    await #expect(throws: AWSError.halfSet(present: id, missing: secret)) {
      try await find([id: "a"])
    }
    await #expect(throws: AWSError.halfSet(present: secret, missing: id)) {
      try await find([secret: "a"])
    }
  }

  @Test("keys that no header may have are an error without them")
  func badKeys() async throws {
    await #expect {
      try await find(["AWS_ACCESS_KEY_ID": "a\r\nHost: b", "AWS_SECRET_ACCESS_KEY": "secret"])
    } throws: { error in
      guard case AWSError.malformedCredentials? = error as? AWSError else { return false }
      return !"\(error)".contains("Host") && !"\(error)".contains("secret")
    }
  }

  @Test("a web identity comes before the profile, in an unsigned form to the region's STS")
  func webIdentity() async throws {
    let file = try directory.write("token", "a.b+c\n")
    let script = AWSScript { _, _ in Self.role("ASIA", "AssumeRoleWithWebIdentity") }
    let found = try await find(
      try files(
        credentials: "[default]\naws_access_key_id=b\naws_secret_access_key=c",
        [
          "AWS_WEB_IDENTITY_TOKEN_FILE": file.string, "AWS_ROLE_ARN": "arn:aws:iam::1:role/r",
          "AWS_ROLE_SESSION_NAME": "me",
        ]), script)
    #expect(found?.accessKeyID == "ASIA" && found?.secretAccessKey.reveal() == "s&cret")
    #expect(found?.expiration == 1_767_229_200)
    let request = try #require(script.requests.first)
    #expect(script.requests.count == 1)
    #expect(request.url == "https://sts.eu-west-1.amazonaws.com/")
    #expect(request["Authorization"] == nil)
    #expect(
      request.text == "Action=AssumeRoleWithWebIdentity&Version=2011-06-15"
        + "&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=me&WebIdentityToken=a.b%2Bc")
  }

  @Test("the environment's region decides which STS is asked, its partition too")
  func region() async throws {
    let file = try directory.write("token", "t")
    let script = AWSScript { _, _ in Self.role("ASIA", "AssumeRoleWithWebIdentity") }
    _ = try await find(
      [
        "AWS_WEB_IDENTITY_TOKEN_FILE": file.string, "AWS_ROLE_ARN": "arn",
        "AWS_REGION": "cn-north-1",
      ], script)
    #expect(script.requests.map(\.url) == ["https://sts.cn-north-1.amazonaws.com.cn/"])
  }

  @Test(
    "a region that would make another host's name is refused", arguments: ["a.b", "a/", "A", "x@y"])
  func badRegion(_ region: String) async throws {
    let file = try directory.write("token", "t")
    let script = AWSScript { _, _ in Self.role("ASIA", "AssumeRoleWithWebIdentity") }
    let variables = [
      "AWS_WEB_IDENTITY_TOKEN_FILE": file.string, "AWS_ROLE_ARN": "a", "AWS_REGION": region,
    ]
    await #expect(throws: AWSError.unusableRegion(region)) { try await find(variables, script) }
    #expect(script.requests.isEmpty)
  }

  @Test("a web identity without a role, a file or a token in it is an error")
  func incompleteWebIdentity() async throws {
    let (file, arn) = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN")
    await #expect(throws: AWSError.halfSet(present: file, missing: arn)) {
      try await find([file: "/nowhere"])
    }
    let empty = try directory.write("empty", "\n").string
    for path in ["/nowhere", empty] {
      await #expect {
        try await find([file: path, arn: "a"])
      } throws: {
        guard case AWSError.malformedCredentials? = $0 as? AWSError else { return false }
        return "\($0)".contains(path)
      }
    }
  }

  @Test("a token that its provider does not know yet is tried again")
  func slowIdentityProvider() async throws {
    let file = try directory.write("token", "t")
    let script = AWSScript { _, number in
      number < 2
        ? ServiceResponse(
          400,
          "<ErrorResponse><Error><Code>\(["IDPCommunicationError", "InvalidIdentityToken"][number])</Code></Error></ErrorResponse>"
        ) : Self.role("ASIA", "AssumeRoleWithWebIdentity")
    }
    let found = try await find(
      ["AWS_WEB_IDENTITY_TOKEN_FILE": file.string, "AWS_ROLE_ARN": "a"], script)
    #expect(found?.accessKeyID == "ASIA" && script.requests.count == 3)
  }

  @Test("E9: STS's refusal is shown in its own words, the token is not")
  func refusal() async throws {
    let file = try directory.write("token", "hidden")
    let script = AWSScript { _, _ in
      ServiceResponse(
        403,
        """
        <ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
        <Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message>
        </Error><RequestId>1</RequestId></ErrorResponse>
        """)
    }
    await #expect {
      try await find(["AWS_WEB_IDENTITY_TOKEN_FILE": file.string, "AWS_ROLE_ARN": "a"], script)
    } throws: { error in
      guard let error = error as? AWSServiceError else { return false }
      return error.code == "AccessDenied" && error.kind == .denied
        && "\(error)".contains("AccessDenied: Not authorized to perform")
        && !"\(error)".contains("hidden")
    }
    #expect(script.requests.count == 1)
  }

  @Test(
    "E9: an answer that is no answer of STS is an error",
    arguments: ["<html>", "", "{}", "<AssumeRoleWithWebIdentityResponse/>"])
  func nonsense(_ body: String) async throws {
    let file = try directory.write("token", "t")
    await #expect {
      try await find(
        ["AWS_WEB_IDENTITY_TOKEN_FILE": file.string, "AWS_ROLE_ARN": "a"],
        AWSScript { _, _ in ServiceResponse(200, body) })
    } throws: {
      guard case AWSError.malformedAnswer? = $0 as? AWSError else { return false }
      return true
    }
  }

  @Test("a profile is merged from both files, and the credentials file wins")
  func profileFiles() async throws {
    let found = try await find(
      try files(
        config: "[profile a b]\nx=y\n[profile 'p']\naws_access_key_id=A\naws_secret_access_key=B",
        credentials: "[p]\naws_secret_access_key=C\naws_session_token=D", ["AWS_PROFILE": "p"]))
    #expect(found?.accessKeyID == "A" && found?.secretAccessKey.reveal() == "C")
    #expect(found?.sessionToken?.reveal() == "D" && found?.source == "profile \"p\"")
  }

  @Test("the files are in HOME where no variable says otherwise")
  func home() async throws {
    try directory.write(
      ".aws/credentials", "[default]\naws_access_key_id=A\naws_secret_access_key=B")
    #expect(try await find(["HOME": directory.path.string])?.accessKeyID == "A")
  }

  @Test("a profile that was asked for must exist; the default one need not")
  func missingProfile() async throws {
    let variables = try files()
    for missing in [["AWS_PROFILE": "p"], ["AWS_DEFAULT_PROFILE": "p"]] {
      await #expect(
        throws: AWSError.noSuchProfile(
          "p",
          files: ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"].compactMap { variables[$0] })
      ) { try await find(variables.merging(missing) { $1 }) }
    }
    #expect(try await find(variables) == nil)
  }

  @Test("--aws-profile leaves everything else aside")
  func explicitProfile() async throws {
    let variables = try files(
      config: "[profile p]\naws_access_key_id=A\naws_secret_access_key=B\n[profile empty]\n",
      exampleKeys)
    #expect(try await find(variables, profile: "p")?.accessKeyID == "A")
    await #expect(throws: AWSError.unusableProfile("empty", problem: "it has no credentials")) {
      try await find(variables, profile: "empty")
    }
  }

  @Test("a role is taken on with its source profile's keys, signed, in the profile's region")
  func role() async throws {
    let script = AWSScript { _, _ in Self.role("ASIA") }
    let found = try await find(
      try files(
        config: """
          [default]
          role_arn = arn:aws:iam::1:role/r
          source_profile = base
          external_id = x y
          duration_seconds = 900
          region = us-west-2
          """, credentials: "[base]\naws_access_key_id=BASE\naws_secret_access_key=B"), script)
    #expect(found?.accessKeyID == "ASIA")
    let request = try #require(script.requests.first)
    #expect(script.requests.count == 1 && request.url == "https://sts.us-west-2.amazonaws.com/")
    #expect(
      request["Authorization"]?.hasPrefix(
        "AWS4-HMAC-SHA256 Credential=BASE/20260101/us-west-2/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date,"
      ) == true)
    #expect(
      request.text
        == "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr"
        + "&RoleSessionName=ociforge-1767225600&ExternalId=x%20y&DurationSeconds=900")
  }

  @Test("a role on a role on a profile's own keys")
  func roleOnRole() async throws {
    let script = AWSScript { _, number in Self.role("ASIA\(number)") }
    let found = try await find(
      try files(
        config: """
          [default]
          role_arn = outer
          source_profile = middle
          [profile middle]
          role_arn = inner
          source_profile = middle
          aws_access_key_id = A
          aws_secret_access_key = B
          """), script)
    // As with the AWS command line: keys end the chain, so that the middle role is not taken on.
    #expect(found?.accessKeyID == "ASIA0" && script.requests.count == 1)
    #expect(script.requests[0].text.contains("RoleArn=outer"))
  }

  @Test("a profile that is its own source takes the role on with its keys")
  func ownSource() async throws {
    let script = AWSScript { _, _ in Self.role("ASIA") }
    let found = try await find(
      try files(
        config:
          "[default]\nrole_arn=r\nsource_profile=default\naws_access_key_id=A\naws_secret_access_key=B"
      ),
      script)
    #expect(found?.accessKeyID == "ASIA" && script.requests.count == 1)
  }

  @Test("profiles in a circle are an error that shows the circle")
  func loop() async throws {
    await #expect(throws: AWSError.profileLoop(["default", "b", "c", "b"])) {
      try await find(
        try files(
          config: """
            [default]
            role_arn = r
            source_profile = b
            [profile b]
            role_arn = r
            source_profile = c
            [profile c]
            role_arn = r
            source_profile = b
            """))
    }
  }

  @Test("credential_source and web_identity_token_file in a profile")
  func otherSources() async throws {
    let token = try directory.write("token", "t")
    let script = AWSScript { request, _ in
      request.text.contains("WebIdentity")
        ? Self.role("WEB", "AssumeRoleWithWebIdentity")
        : request.method == "GET"
          ? ServiceResponse(200, #"{"AccessKeyId":"TASK","SecretAccessKey":"s","Token":"t"}"#)
          : Self.role("ASIA")
    }
    let config = """
      [profile env]
      role_arn = r
      credential_source = Environment
      [profile ecs]
      role_arn = r
      credential_source = EcsContainer
      [profile ec2]
      role_arn = r
      credential_source = Ec2InstanceMetadata
      [profile web]
      role_arn = r
      web_identity_token_file = \(token)
      """
    let variables = try files(
      config: config,
      exampleKeys.merging(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/task"]) { $1 })
    #expect(try await find(variables, script, profile: "env")?.accessKeyID == "ASIA")
    #expect(script.requests.last?["Authorization"]?.contains("AKIDEXAMPLE") == true)
    #expect(try await find(variables, script, profile: "ecs")?.accessKeyID == "ASIA")
    #expect(script.requests.last?["Authorization"]?.contains("TASK") == true)
    #expect(try await find(variables, script, profile: "web")?.accessKeyID == "WEB")
    await #expect(
      throws: AWSError.unusableProfile(
        "ec2", problem: "credential_source Ec2InstanceMetadata: AWS_EC2_METADATA_DISABLED is true")
    ) { try await find(variables, script, profile: "ec2") }
  }

  @Test(
    "profiles that cannot be used say why",
    arguments: [
      ("role_arn=r", "exactly one of"),
      ("role_arn=r\nsource_profile=a\ncredential_source=b", "exactly one of"),
      ("source_profile=a", "needs role_arn"),
      ("aws_access_key_id=a", "needs aws_secret_access_key"),
      ("aws_secret_access_key=a", "needs aws_access_key_id"),
      ("role_arn=r\nsource_profile=empty", "has no credentials"),
      ("role_arn=r\ncredential_source=X", "expected Environment"),
      ("role_arn=r\nsource_profile=empty\nmfa_serial=m", "mfa_serial"),
      ("role_arn=r\nsource_profile=empty\nduration_seconds=1", "900 to 43200"),
      ("sso_session=s", "aws sso login"), ("sso_start_url=s", "aws configure export-credentials"),
      ("login_session=s", "aws sso login"), ("credential_process='a", "balanced quotes"),
    ])
  func unusable(_ settings: String, problem: String) async throws {
    await #expect {
      try await find(try files(config: "[default]\n\(settings)\n[profile empty]\n"))
    } throws: { error in
      guard case AWSError.unusableProfile("default", _)? = error as? AWSError else { return false }
      return "\(error)".contains(problem)
    }
  }

  @Test("credential_process runs without a shell for a minute at most")
  func process() async throws {
    let variables = try files(config: "[default]\ncredential_process = '/opt/a b' --x \"$HOME\"\n")
    let found = try await find(variables) { arguments, timeout in
      #expect(arguments == ["/opt/a b", "--x", "$HOME"] && timeout == .seconds(60))
      return (
        0,
        Array(
          #"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"B","SessionToken":"C","Expiration":"2026-01-01T00:10:00Z"}"#
            .utf8)
      )
    }
    #expect(found?.accessKeyID == "A" && found?.sessionToken?.reveal() == "C")
    #expect(found?.expiration == 1_767_226_200)
  }

  @Test(
    "a credential_process that fails or prints something else is an error without its output",
    arguments: [
      (1, "hidden"), (0, "hidden"), (0, #"{"Version":2,"x":"hidden"}"#),
      (0, #"{"Version":1,"AccessKeyId":"hidden"}"#),
      (0, #"{"Version":1,"AccessKeyId":"a","SecretAccessKey":"hidden\n"}"#),
      (0, #"{"Version":1,"AccessKeyId":"a","SecretAccessKey":"hidden","Expiration":"soon"}"#),
      (0, "\"hidden\(String(repeating: "x", count: 70_000))\""),
    ] as [(Int32, String)])
  func badProcess(_ status: Int32, output: String) async throws {
    await #expect {
      try await find(try files(config: "[default]\ncredential_process = a\n")) { _, _ in
        (status, Array(output.utf8))
      }
    } throws: { error in
      switch error as? AWSError {
      case .processFailed("default", status): status == 1
      case .malformedCredentials: status == 0 && !"\(error)".contains("hidden")
      default: false
      }
    }
  }

  @Test("a file that cannot be read is an error where a variable names it")
  func unreadable() async throws {
    await #expect { try await find(["AWS_CONFIG_FILE": directory.path.string]) } throws: {
      "\($0)".contains(directory.path.string)
    }
    #expect(
      try await find(["AWS_CONFIG_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true"]) == nil)
  }

  @Test("what each place said is kept, in order and without secrets")
  func trail() async throws {
    let variables = try files(config: "[default]\nregion=a\n")
    let chain = AWSCredentialChain(AWSSurroundings(variables, AWSScript.silent.exchange))
    #expect(try await chain.credentials(near: "r") == nil)
    #expect(
      chain.trail.map(\.provider) == [
        "environment", "web identity", "profile \"default\"", "container", "instance metadata",
      ])
    #expect(
      chain.trail.map(\.outcome) == [
        "AWS_ACCESS_KEY_ID is not set", "AWS_WEB_IDENTITY_TOKEN_FILE is not set",
        "it has no credentials",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are not set",
        "AWS_EC2_METADATA_DISABLED is true",
      ])
    let failing = AWSCredentialChain(
      AWSSurroundings(["AWS_ACCESS_KEY_ID": "a"], AWSScript.silent.exchange))
    await #expect(throws: AWSError.self) { try await failing.credentials(near: "r") }
    #expect(failing.trail.map(\.provider) == ["environment"])
    #expect(failing.trail.last?.outcome.contains("AWS_SECRET_ACCESS_KEY is not") == true)
  }

  @Test("credentials are renewed five minutes before they end, and looked up again after an hour")
  func renewal() async throws {
    let file = try directory.write("token", "t")
    let clock = StoppedClock()
    let script = AWSScript { _, number in Self.role("ASIA\(number)", "AssumeRoleWithWebIdentity") }
    let chain = AWSCredentialChain(
      AWSSurroundings(
        ["AWS_WEB_IDENTITY_TOKEN_FILE": file.string, "AWS_ROLE_ARN": "a"], script.exchange,
        clock: clock))
    for (time, count) in [(0, 1), (3299, 1), (3300, 2)] as [(Int64, Int)] {
      clock.now = 1_767_225_600 + time
      _ = try await chain.credentials(near: "r")
      #expect(script.requests.count == count)
    }
    let keys = try directory.write(
      "credentials", "[default]\naws_access_key_id=A\naws_secret_access_key=B")
    let files = AWSCredentialChain(
      AWSSurroundings(
        ["AWS_SHARED_CREDENTIALS_FILE": keys.string], AWSScript.silent.exchange, clock: clock))
    #expect(try await files.credentials(near: "r")?.accessKeyID == "A")
    try directory.write("credentials", "[default]\naws_access_key_id=Z\naws_secret_access_key=B")
    clock.now += 3599
    #expect(try await files.credentials(near: "r")?.accessKeyID == "A")
    clock.now += 1
    #expect(try await files.credentials(near: "r")?.accessKeyID == "Z")
  }
}
