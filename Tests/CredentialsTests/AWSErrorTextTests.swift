import OCISpec
import Reporting
import Testing

@testable import Credentials

@Suite struct AWSErrorTextTests {
  private static let service = AWSServiceError(
    action: "sts:AssumeRole", host: "sts.eu-west-1.amazonaws.com", status: 403,
    code: "SignatureDoesNotMatch", message: "wrong\u{1B}[31m", source: "profile \"a\"", date: nil,
    retryAfter: nil, attempts: 2)
  private static let repository = Repository(
    registry: Registry(host: "123456789012.dkr.ecr.eu-west-1.amazonaws.com"), path: "app")

  @Test(
    "errors say what was done, what was found and the way out",
    arguments: [
      (
        AWSError.halfSet(present: "A", missing: "B"), .usage,
        "reading AWS credentials: A is set and B is not; set both or neither"
      ),
      (
        AWSError.noSuchProfile("p", files: ["/a", "/b"]), .notFound,
        "reading AWS credentials: expected a profile \"p\" in \"/a\" or \"/b\", found none"
      ),
      (
        AWSError.malformedFile(path: "/a", line: 3, problem: "expected \"key = value\""), .data,
        "reading AWS settings: \"/a\", line 3: expected \"key = value\""
      ),
      (
        AWSError.profileLoop(["a", "b", "a"]), .usage,
        "AWS profiles take their credentials from one another in a circle: \"a\", then \"b\", then \"a\""
      ),
      (
        AWSError.unusableEndpoint(variable: "AWS_ENDPOINT_URL", .notAnEndpoint), .usage,
        "reading AWS_ENDPOINT_URL: expected https://host or https://host:port with at most a path behind it"
      ),
      (
        AWSError.unusableEndpoint(variable: "X", .plainHTTP(host: "moto")), .usage,
        "reading X: plain http to \"moto\" would show what it carries to everyone on the way; use https, or http to a loopback address"
      ),
      (
        AWSError.unusableRegion("x/y"), .usage,
        "calling AWS: expected a region such as eu-central-1 in AWS_REGION or the profile, found \"x/y\""
      ),
      (
        AWSError.unusableProfile("p", problem: "a needs b beside it"), .usage,
        "AWS profile \"p\": a needs b beside it"
      ),
      (
        AWSError.malformedCredentials(source: "s", problem: "expected JSON"), .data,
        "reading AWS credentials from s: expected JSON"
      ),
      (AWSError.unusableVariable("V", problem: "x"), .usage, "reading V: x"),
      (
        AWSError.processFailed(profile: "p", status: 3), .denied,
        "AWS profile \"p\": its credential_process ended with status 3"
      ),
      (
        AWSError.roleWithoutCredentials(role: "r", code: "x"), .denied,
        "reading AWS credentials of role \"r\" from the instance metadata service: expected code \"Success\", found \"x\""
      ),
      (
        AWSError.noAnswer(
          action: "ecr:A", host: "h", NoAnswer(.interrupted, "connection reset"), attempts: 5),
        .unavailable, "calling ecr:A at h: connection reset; gave up after 5 attempts"
      ),
      (
        AWSError.malformedAnswer(action: "ecr:A", host: "h", problem: "expected JSON"),
        .protocolBroken, "calling ecr:A at h: the answer makes no sense: expected JSON"
      ),
      (
        AWSError.unusableClock(seconds: -1), .software,
        "signing a request to AWS: the clock stands at -1 s since 1970, where no date can be written"
      ),
      (
        service, .denied,
        "calling sts:AssumeRole at sts.eu-west-1.amazonaws.com: status 403, SignatureDoesNotMatch: wrong\\u{1b}[31m; "
          + "the AWS credentials are from profile \"a\"; check the secret access key and this machine's clock; gave up after 2 attempts"
      ),
      (
        ECRRepositoryError.notECR(Registry(host: "ghcr.io")), .usage,
        "creating a repository in \"ghcr.io\": expected a registry of Amazon ECR; others make repositories by themselves or in their own tools"
      ),
      (
        ECRRepositoryError.noCredentials(repository), .denied,
        "creating \"123456789012.dkr.ecr.eu-west-1.amazonaws.com/app\": there are no AWS credentials; \"ociforge auth 123456789012.dkr.ecr.eu-west-1.amazonaws.com\" says where they were looked for"
      ),
      (
        ECRRepositoryError.notAPolicy(path: "p", JSONError(problem: "unexpected end", offset: 0)),
        .data, "reading the policy \"p\": not valid JSON: unexpected end at byte 0"
      ),
      (
        ECRRepositoryError.notAPolicy(path: "p", nil), .data,
        "reading the policy \"p\": expected a JSON object of at most 32 KiB"
      ),
      (
        ECRRepositoryError.notInGallery(["a", "b"]), .usage,
        "creating a repository in ECR Public: it has no a and no b"
      ),
      (
        ECRRepositoryError.noAlias(repository), .usage,
        "creating \"123456789012.dkr.ecr.eu-west-1.amazonaws.com/app\": expected public.ecr.aws/<alias>/<name>"
      ),
    ] as [(any Failure, FailureKind, String)])
  func text(_ error: any Failure, kind: FailureKind, text: String) {
    #expect(error.description == text)
    #expect(error.kind == kind)
  }
}
