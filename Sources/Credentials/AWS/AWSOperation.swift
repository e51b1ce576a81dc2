/// A request to a service of AWS before it is signed and sent.
struct AWSOperation: Sendable {
  /// As IAM policies name it.
  var action: String
  var endpoint: AWSEndpoint
  /// Where to send it if that name does not exist.
  var alternative: AWSEndpoint?
  var region = ""
  /// The service's name in a signature.
  var service = ""
  var method = "POST"
  var headers: [(name: String, value: String)] = []
  var body: [UInt8] = []
  var connectTimeout = Duration.seconds(15)
  var timeout = Duration.seconds(30)
  var mayUseProxy = true

  /// No answer that is read here is larger than a token with what is around it.
  static let responseLimit = 96 << 10

  func request(to endpoint: AWSEndpoint) -> ServiceRequest {
    ServiceRequest(
      method, endpoint.url, headers: headers, body: body, connectTimeout: connectTimeout,
      timeout: timeout, mayUseProxy: mayUseProxy, responseLimit: Self.responseLimit)
  }
}
