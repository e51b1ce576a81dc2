/// A small request to a service that is no registry: AWS, a metadata server. Sent by whoever owns the HTTP
/// client; redirects are not followed.
package struct ServiceRequest: Sendable {
  package var method: String
  package var url: String
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]
  package var connectTimeout: Duration
  /// For the whole exchange.
  package var timeout: Duration
  /// Metadata services are on this machine's link: never through a proxy.
  package var mayUseProxy: Bool
  /// More bytes of an answer are an error.
  package var responseLimit: Int

  package init(
    _ method: String, _ url: String, headers: [(name: String, value: String)] = [],
    body: [UInt8] = [], connectTimeout: Duration = .seconds(15), timeout: Duration = .seconds(30),
    mayUseProxy: Bool = true, responseLimit: Int = 1 << 20
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.connectTimeout = connectTimeout
    self.timeout = timeout
    self.mayUseProxy = mayUseProxy
    self.responseLimit = responseLimit
  }
}

/// The answer, whatever its status.
package struct ServiceResponse: Sendable {
  package var status: Int
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]

  package init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  package subscript(name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}

/// Sends one request; throws where no answer came.
package typealias ServiceExchange = @Sendable (ServiceRequest) async throws -> ServiceResponse
