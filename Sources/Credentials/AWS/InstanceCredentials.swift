import OCISpec
import Reporting

/// The metadata service of an EC2 instance, version 2 only: version 1 answers whoever can make the machine
/// send a plain GET.
struct InstanceCredentials: Sendable {
  let surroundings: AWSSurroundings

  /// At most five requests are made, so that it is over within 2.5 s whatever answers.
  private static let connectTimeout = Duration.milliseconds(250)
  private static let timeout = Duration.milliseconds(500)
  private static let responseLimit = 64 << 10
  private static let folder = "latest/meta-data/iam/security-credentials/"

  func find() async throws -> AWSOutcome {
    if surroundings.isTrue("AWS_EC2_METADATA_DISABLED") {
      return .absent("AWS_EC2_METADATA_DISABLED is true")
    }
    let endpoint = try endpoint
    var session = Session(endpoint: endpoint, exchange: surroundings.exchange)
    do {
      let list = try await session.get(Self.folder)
      if list.status == 404 { return .absent("the instance has no role") }
      let role = String(decoding: list.body, as: UTF8.self).prefix { !$0.isNewline }.trimmed
      guard list.status == 200, Self.isRole(role) else {
        return .absent("\(endpoint.authority) names no role (status \(list.status))")
      }
      let answer = try await session.get(Self.folder + role)
      return try Self.read(answer, role: role, host: endpoint.authority)
    } catch let absence as Absence {
      return .absent(absence.text)
    }
  }

  private struct Absence: Error { let text: String }

  /// One token, and the requests that show it.
  private struct Session {
    let endpoint: AWSEndpoint
    let exchange: ServiceExchange
    private var token: String?
    private var hasRenewed = false

    init(endpoint: AWSEndpoint, exchange: @escaping ServiceExchange) {
      (self.endpoint, self.exchange) = (endpoint, exchange)
    }

    mutating func get(_ path: String) async throws -> ServiceResponse {
      if token == nil { token = try await newToken() }
      let response = try await send("GET", path, ("X-aws-ec2-metadata-token", token ?? ""))
      guard response.status == 401, !hasRenewed else { return response }
      hasRenewed = true
      token = nil
      return try await get(path)
    }

    private func newToken() async throws -> String {
      let response = try await send(
        "PUT", "latest/api/token", ("X-aws-ec2-metadata-token-ttl-seconds", "300"))
      let token = String(decoding: response.body, as: UTF8.self)
      guard response.status == 200 else {
        throw Absence(
          text: "\(endpoint.authority) gives no session token (status \(response.status)); "
            + "version 1 of the service is not used")
      }
      guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        throw Absence(text: "\(endpoint.authority) gives a session token that no header may have")
      }
      return token
    }

    private func send(
      _ method: String, _ path: String, _ header: (name: String, value: String)
    ) async throws -> ServiceResponse {
      let request = ServiceRequest(
        method, endpoint.url + path, headers: [header],
        connectTimeout: InstanceCredentials.connectTimeout, timeout: InstanceCredentials.timeout,
        mayUseProxy: false, responseLimit: InstanceCredentials.responseLimit)
      do { return try await exchange(request) } catch let error as CancellationError {
        throw error
      } catch {
        throw Absence(text: "no answer from \(endpoint.authority)")
      }
    }
  }

  private var endpoint: AWSEndpoint {
    get throws {
      let (name, mode) = (
        "AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
      )
      if let text = surroundings.variable(name) {
        guard let endpoint = AWSEndpoint(text.hasSuffix("/") ? text : text + "/"),
          !endpoint.target.contains("?")
        else {
          throw AWSError.unusableVariable(
            name, problem: "expected an http or https URL without a query")
        }
        return endpoint
      }
      let hosts = ["ipv4": "169.254.169.254", "ipv6": "[fd00:ec2::254]"]
      let value = surroundings.variable(mode) ?? "IPv4"
      guard let host = hosts[value.lowercased()], let endpoint = AWSEndpoint("http://\(host)/")
      else {
        throw AWSError.unusableVariable(
          mode, problem: "expected IPv4 or IPv6, found \(value.quoted)")
      }
      return endpoint
    }
  }

  /// IAM's own grammar: safe as the last part of a URL.
  private static func isRole(_ name: String) -> Bool {
    (1...64).contains(name.utf8.count)
      && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+=,.@_-".contains($0)) }
      && !name.allSatisfy { $0 == "." }
  }

  private static func read(
    _ response: ServiceResponse, role: String, host: String
  ) throws -> AWSOutcome {
    guard response.status == 200 else {
      return .absent(
        "\(host) has no credentials for role \(role.quoted) (status \(response.status))")
    }
    let source = "the instance metadata service (role \(role.quoted))"
    guard let document = try? JSON(parsing: response.body) else {
      throw AWSError.malformedCredentials(
        source: source, problem: "expected JSON, found other text")
    }
    guard let code = document["Code"]?.stringValue, code == "Success" else {
      throw AWSError.roleWithoutCredentials(role: role, code: document["Code"]?.stringValue ?? "")
    }
    return .found(try AWSCredentials(document, token: "Token", source: source))
  }
}
