import Bindings
import Foundation
import OCISpec
import Reporting
import TestSupport
import SystemPackage
import Testing

@testable import Credentials

/// registry.md, C.7, "Test vectors".
@Suite struct SignatureV4Tests {
  private static func credentials(token: String? = nil) throws -> AWSCredentials {
    try AWSCredentials(
      accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
      sessionToken: token, source: "test")
  }

  private static let newYear: Int64 = 1_767_225_600
  private static let request = ServiceRequest(
    "POST", "https://api.ecr.us-east-1.amazonaws.com/",
    headers: [
      ("Content-Type", "application/x-amz-json-1.1"),
      ("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"),
    ], body: Array("{}".utf8))

  private func signature(
    _ request: ServiceRequest, at time: Int64, token: String? = nil, service: String = "ecr"
  ) throws -> String? {
    let signer = SignatureV4(
      try Self.credentials(token: token), region: "us-east-1", service: service)
    let header = try signer.signed(request, at: time)["Authorization"]
    return header?.components(separatedBy: "Signature=").last
  }

  @Test("AWS's own get-vanilla")
  func vanilla() throws {
    let request = ServiceRequest("GET", "https://example.amazonaws.com/")
    let signer = SignatureV4(
      try Self.credentials(), region: "us-east-1", service: "service")
    #expect(
      try signer.signed(request, at: 1_440_938_160)["Authorization"]
        == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        + "SignedHeaders=host;x-amz-date, "
        + "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
  }

  @Test("a request to ECR, step by step")
  func steps() throws {
    let signer = SignatureV4(try Self.credentials(), region: "us-east-1", service: "ecr")
    var dated = Self.request
    dated.headers.append(("X-Amz-Date", "20260101T000000Z"))
    let canonical = try signer.canonicalForm(of: dated)
    #expect(canonical.names == "content-type;host;x-amz-date;x-amz-target")
    #expect(
      try Digest.sha256(of: Array(canonical.text.utf8)).hex
        == "3c2d42272198d0a0fae80d6bfecd66629747dc9590ca9c2bb5678008d55178c9")
    #expect(
      Digest(.sha256, bytes: try signer.signingKey(on: "20260101T000000Z")).hex
        == "cae0f29f6a7cb56d7d73f116afa29bbeeb074d8a8be0c544e742d59bfb2fb3d8")
    #expect(
      try signature(Self.request, at: Self.newYear)
        == "fef4b0e74c1403375f73181e79badd9d6ff57378e5b7dbd3357a8be6027b414a")
  }

  @Test("the same with Content-Length signed")
  func contentLength() throws {
    var request = Self.request
    request.headers.append(("Content-Length", "2"))
    #expect(
      try signature(request, at: Self.newYear)
        == "6b57d691ef8405574eb0b23076d85a92c137f8395e0fb3be4b55e87c35d965ec")
  }

  @Test("the same with a session token")
  func sessionToken() throws {
    let token = "FQoGZXIvYXdzEXAMPLE//////////wEaDEXAMPLETOKEN=="
    #expect(
      try signature(Self.request, at: Self.newYear, token: token)
        == "6f5481cea9fcf6f2ec9fb3c64511c8f4c8ebe7a249e59a9d9cf7743ce8a039f7")
  }

  @Test("headers that change on the way are not signed")
  func volatileHeaders() throws {
    var request = Self.request
    for name in ["User-Agent", "Expect", "Transfer-Encoding", "X-Amzn-Trace-Id", "Authorization"] {
      request.headers.append((name, "x"))
    }
    let signer = SignatureV4(try Self.credentials(), region: "us-east-1", service: "ecr")
    #expect(try signer.canonicalForm(of: request).names == "content-type;host;x-amz-target")
  }

  @Test("no date can be written before 1970")
  func impossibleDate() throws {
    #expect(throws: AWSError.unusableClock(seconds: -1)) {
      try signature(Self.request, at: -1)
    }
  }

  @Test("a signature is botocore's, byte for byte", .enabled(if: botocore()))
  func sameAsBotocore() throws {
    let requests =
      [
        ("GET", "https://sts.eu-central-1.amazonaws.com/", [], "", nil),
        ("POST", "https://sts.eu-central-1.amazonaws.com:443/", [("A", "  b   c ")], "x=y", "T=="),
        ("POST", "http://127.0.0.1:5000/", [("Content-Type", "a; b=c")], "{}", nil),
        ("GET", "https://[::1]:8443/a%20b/c:d", [], "", nil),
        ("GET", "https://example.com/?b=2&a=1&a-b=3&a=%2F", [], "", "t"),
        ("PUT", "https://example.com/a/b?list&x=a~b", [("X-Z", "1"), ("B", "2")], "body", nil),
      ] as [(String, String, [(name: String, value: String)], String, String?)]
    var cases: [[String: Any]] = []
    var expected: [String?] = []
    for (method, url, headers, body, token) in requests {
      let request = ServiceRequest(method, url, headers: headers, body: Array(body.utf8))
      let signer = SignatureV4(try Self.credentials(token: token), region: "r", service: "s")
      expected.append(try signer.signed(request, at: Self.newYear)["Authorization"])
      cases.append([
        "method": method, "url": url, "body": body, "token": token as Any,
        "headers": Dictionary(uniqueKeysWithValues: headers.map { ($0.name, $0.value) }),
      ])
    }
    let done = try run(
      "python3", ["-c", Self.script],
      input: Array(try JSONSerialization.data(withJSONObject: cases)))
    #expect(done.stderr == "")
    let signed = try JSONSerialization.jsonObject(with: Data(done.stdout)) as? [String]
    #expect(signed == expected)
  }

  private static let script = """
    import datetime, json, sys
    import botocore.auth
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    botocore.auth.get_current_datetime = lambda *a, **k: datetime.datetime(2026, 1, 1)
    out = []
    for case in json.load(sys.stdin):
        keys = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", case["token"])
        request = AWSRequest(
            method=case["method"], url=case["url"], data=case["body"], headers=case["headers"])
        SigV4Auth(keys, "s", "r").add_auth(request)
        out.append(request.headers["Authorization"])
    json.dump(out, sys.stdout)
    """
}

/// Whether python has botocore; in CI it must.
private func botocore() -> Bool {
  guard peers("python3") else { return false }
  if (try? run("python3", ["-c", "import botocore"]))?.status == 0 { return true }
  if ProcessInfo.processInfo.environment["CI"] == "true" {
    Issue.record("missing test peer in CI: python's botocore; run `make deps-test`")
  }
  return false
}
