import Bindings
import OCISpec

/// AWS Signature Version 4 in an `Authorization` header:
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
package struct SignatureV4: Sendable {
  package let credentials: AWSCredentials
  package let region: String
  package let service: String

  package init(_ credentials: AWSCredentials, region: String, service: String) {
    self.credentials = credentials
    self.region = region
    self.service = service
  }

  /// The request with its date, the session token where there is one, and the signature. Every header of the
  /// request is signed but those that change on the way.
  /// - Parameter time: seconds since 1970.
  package func signed(_ request: ServiceRequest, at time: Int64) throws -> ServiceRequest {
    guard let date = AWSTime.basic(time) else { throw AWSError.unusableClock(seconds: time) }
    var request = request
    request.headers.append(("X-Amz-Date", date))
    if let token = credentials.sessionToken {
      request.headers.append(("X-Amz-Security-Token", token.reveal()))
    }
    let (canonical, names) = try canonicalForm(of: request)
    let hash = try Digest.sha256(of: Array(canonical.utf8)).hex
    let toSign = """
      AWS4-HMAC-SHA256
      \(date)
      \(scope(date))
      \(hash)
      """
    let signature = try HMAC.sha256(key: signingKey(on: date), Array(toSign.utf8))
    let hex = Digest(.sha256, bytes: signature).hex
    request.headers.append(
      (
        "Authorization",
        "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope(date)), "
          + "SignedHeaders=\(names), Signature=\(hex)"
      ))
    return request
  }

  /// What is hashed into the signature, and the signed headers' names.
  func canonicalForm(of request: ServiceRequest) throws -> (text: String, names: String) {
    guard let endpoint = AWSEndpoint(request.url) else {
      throw AWSError.unusableEndpoint(variable: nil, .notAnEndpoint)
    }
    let target = endpoint.target.split(
      separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    var values: [String: [String]] = ["host": [endpoint.authority]]
    for header in request.headers where !Self.unsigned.contains(header.name.lowercased()) {
      let value = header.value.split(whereSeparator: { $0 == " " || $0 == "\t" })
      values[header.name.lowercased(), default: []].append(value.joined(separator: " "))
    }
    let headers = values.sorted { $0.key < $1.key }
    let names = headers.map(\.key).joined(separator: ";")
    let lines =
      [
        request.method,
        // Every service but S3 signs the path with what is escaped in it escaped again.
        target[0].split(separator: "/", omittingEmptySubsequences: false)
          .map { percentEncoded(String($0)) }.joined(separator: "/"),
        target.count > 1 ? canonicalQuery(target[1]) : "",
      ] + headers.map { "\($0.key):\($0.value.joined(separator: ","))" } + [
        "", names, try Digest.sha256(of: request.body).hex,
      ]
    return (lines.joined(separator: "\n"), names)
  }

  func signingKey(on date: String) throws -> [UInt8] {
    var key = Array("AWS4\(credentials.secretAccessKey.reveal())".utf8)
    for part in [String(date.prefix(8)), region, service, "aws4_request"] {
      key = try HMAC.sha256(key: key, Array(part.utf8))
    }
    return key
  }

  private func scope(_ date: String) -> String {
    "\(date.prefix(8))/\(region)/\(service)/aws4_request"
  }

  private func canonicalQuery(_ query: Substring) -> String {
    let pairs = query.split(separator: "&").map { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      // What was escaped elsewhere keeps its escapes.
      let encoded = parts.map { percentEncoded(String($0), keeping: "%") }
      return (name: encoded[0], value: encoded.count > 1 ? encoded[1] : "")
    }
    return pairs.sorted { ($0.name, $0.value) < ($1.name, $1.value) }
      .map { "\($0.name)=\($0.value)" }.joined(separator: "&")
  }

  /// What proxies and HTTP clients add, remove or change.
  private static let unsigned: Set<String> = [
    "authorization", "user-agent", "x-amzn-trace-id", "expect", "transfer-encoding", "connection",
    "host",
  ]
}

/// The text with all but RFC 3986's unreserved characters escaped.
func percentEncoded(_ text: String, keeping kept: String = "") -> String {
  let hex = Array("0123456789ABCDEF".unicodeScalars)
  var out = ""
  for byte in text.utf8 {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
      out.unicodeScalars.append(Unicode.Scalar(byte))
    default:
      if kept.utf8.contains(byte) {
        out.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        out += "%"
        out.unicodeScalars.append(hex[Int(byte >> 4)])
        out.unicodeScalars.append(hex[Int(byte & 15)])
      }
    }
  }
  return out
}
