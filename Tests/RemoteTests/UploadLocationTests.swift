import OCISpec
import Reporting
import Testing

@testable import Remote

@Suite("Location of an upload")
struct UploadLocationTests {
  private static let base = "https://r.ex:5000/v2/n/blobs/uploads/"
  private let digest = "sha256:" + String(repeating: "a", count: 64)
  private let suffix = "digest=sha256%3A" + String(repeating: "a", count: 64)

  enum Kind: Sendable { case same, other, rewritten }

  private func location(
    _ text: String?, from base: String = base, allowsPrivate: Bool = false
  ) throws -> UploadLocation {
    try UploadLocation(text, from: RemoteURL(parsing: base), allowsPrivate: allowsPrivate)
  }

  @Test(
    "U2: is resolved against the request, keeps its query byte for byte, and ends in the digest",
    arguments: [
      (
        base, "/v2/n/blobs/uploads/U?_state=a%2Bb%3D", .same,
        "https://r.ex:5000/v2/n/blobs/uploads/U?_state=a%2Bb%3D&"
      ),
      (base, "https://r.ex:5000/up/U", .same, "https://r.ex:5000/up/U?"),
      (base, "U?x=1", .same, "https://r.ex:5000/v2/n/blobs/uploads/U?x=1&"),
      (base, "?u=1", .same, "https://r.ex:5000/v2/n/blobs/uploads/?u=1&"),
      (base, "//other.ex/u", .other, "https://other.ex/u?"),
      (base, "https://other.ex/u", .other, "https://other.ex/u?"),
      (base, "https://r.ex/u", .other, "https://r.ex/u?"),
      (base, "http://r.ex:5000/u", .rewritten, "https://r.ex:5000/u?"),
      ("https://r.ex:443/v2/", "https://r.ex/u", .same, "https://r.ex/u?"),
      ("https://r.ex/v2/", "https://R.EX:443/u", .same, "https://r.ex/u?"),
      ("https://r.ex/v2/", "http://r.ex/u?s=1", .rewritten, "https://r.ex/u?s=1&"),
      (base, "http://r.ex:5000//u/../x", .rewritten, "https://r.ex:5000//u/../x?"),
      (base, "/u#fragment", .same, "https://r.ex:5000/u?"),
      (base, "https://r.ex:5000/u?a=1#fragment", .same, "https://r.ex:5000/u?a=1&"),
      (base, "/u?", .same, "https://r.ex:5000/u?"),
      (
        base, "/u?s=a+b%20c%2f~!*'();:@&=$,/?", .same,
        "https://r.ex:5000/u?s=a+b%20c%2f~!*'();:@&=$,/?&"
      ),
      // Loopback, by whichever name the registry was configured with.
      ("http://localhost:5000/v2/", "http://127.0.0.1:5000/u", .other, "http://127.0.0.1:5000/u?"),
      ("http://localhost:5000/v2/", "/u", .same, "http://localhost:5000/u?"),
      ("http://reg.lan:5000/v2/", "/u", .same, "http://reg.lan:5000/u?"),
      ("https://10.0.0.1/v2/", "https://10.0.0.5/u", .other, "https://10.0.0.5/u?"),
      (base, "https://172.32.0.1/u", .other, "https://172.32.0.1/u?"),
    ] as [(String, String, Kind, String)])
  func resolves(base: String, text: String, kind: Kind, closing: String) throws {
    let found = try location(text, from: base)
    switch (found, kind) {
    case (.sameOrigin, .same), (.otherOrigin, .other), (.rewritten, .rewritten): break
    default: Issue.record("\(found) is not \(kind)")
    }
    #expect(found.closing(with: try Digest(parsing: digest)).requestText == closing + suffix)
    // What is said of it has no query.
    #expect(!"\(found.url)".contains("?"))
  }

  @Test(
    "U2: what it may not be",
    arguments: [
      ("http://other.ex/u", "insecure"), ("http://r.ex/u", "insecure"),
      ("http://r.ex:5001/u", "insecure"), ("https://169.254.169.254/latest", "notPublic"),
      ("https://10.0.0.5/u", "notPublic"), ("https://172.31.0.1/u", "notPublic"),
      ("https://192.168.1.1/u", "notPublic"), ("https://[fd00::1]/u", "notPublic"),
      ("https://127.0.0.1/u", "notPublic"), ("https://localhost/u", "notPublic"),
      ("https://metadata.google.internal/u", "notPublic"),
      ("https://u:p@r.ex:5000/u", "userInformation"), ("//hush@other.ex/u", "userInformation"),
      ("http://u:hush@r.ex:5000/u", "userInformation"), ("", "missing"), (nil, "missing"),
      ("https://", "unusable"), ("ftp://r.ex/u", "unusable"), ("file:///etc/passwd", "unusable"),
      ("/u\r\nX: y", "unusable"), ("https://r.ex:99999/u?hush", "unusable"),
    ] as [(String?, String)])
  func refuses(text: String?, problem: String) {
    let error = #expect(throws: UploadLocationError.self) { try location(text) }
    #expect(error?.kind == .protocolBroken)
    #expect(error.map { "\(Mirror(reflecting: $0).children.first?.label ?? "")" } == problem)
    let said = error?.description ?? ""
    #expect(said.hasPrefix("uploading to https://r.ex:5000/v2/n/blobs/uploads/: "), "\(said)")
    #expect(!said.contains("hush"), "\(said)")
  }

  @Test("U2: a private network is allowed where asked for, this machine and its link never")
  func allowsPrivate() throws {
    #expect(try location("https://10.0.0.5/u", allowsPrivate: true).url.host == "10.0.0.5")
    for text in ["https://127.0.0.1/u", "https://169.254.169.254/u", "https://[fe80::1]/u"] {
      #expect(throws: UploadLocationError.self) { try location(text, allowsPrivate: true) }
    }
    // A forwarded port is on loopback by its name only.
    #expect(throws: UploadLocationError.self) {
      try location(
        "http://169.254.169.254/u", from: "http://127.0.0.1:5000/v2/", allowsPrivate: true)
    }
    // A registry over plain http cannot send the bytes to another one over plain http.
    #expect(throws: UploadLocationError.self) {
      try location("http://other.lan/u", from: "http://reg.lan:5000/v2/")
    }
  }

  @Test("every refusal says what was wrong")
  func texts() throws {
    let request = try RemoteURL(parsing: Self.base)
    let other = try RemoteURL(parsing: "https://o.ex/u?secret")
    let table: [(UploadLocationError, String)] = [
      (
        .missing(request), "expected the answer to say where the bytes go (Location), found nothing"
      ),
      (
        .unusable(request, location: "x"),
        "expected a URL to send the bytes to (Location), got \"x\""
      ),
      (
        .userInformation(request, location: other),
        "refused to go on at https://o.ex/u: the URL brings a user of its own"
      ),
      (
        .insecure(request, location: other),
        "refused to go on at https://o.ex/u: that is plain http"
      ),
      (
        .notPublic(request, location: other),
        "refused to go on at https://o.ex/u: its address is not a public one, and the registry's is"
      ),
    ]
    for (error, text) in table {
      #expect(error.description == "uploading to https://r.ex:5000/v2/n/blobs/uploads/: \(text)")
    }
  }
}
