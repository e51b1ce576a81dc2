import Bindings
import OCISpec
import Reporting
import SystemPackage

/// The endpoint that ECS and EKS Pod Identity give to a container.
struct ContainerCredentials: Sendable {
  let surroundings: AWSSurroundings

  private static let relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
  private static let full = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
  private static let token = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
  /// ECS; EKS over IPv4 and IPv6. They answer on the machine's own link.
  private static let plainHosts = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"]

  func find() async throws -> AWSOutcome {
    guard let endpoint = try endpoint else {
      return .absent("\(Self.relative) and \(Self.full) are not set")
    }
    let source = "the container endpoint \(endpoint.authority)"
    var headers: [(name: String, value: String)] = [("Accept", "application/json")]
    if let token = try await authorization() { headers.append(("Authorization", token)) }
    let operation = AWSOperation(
      action: "container credentials", endpoint: endpoint, method: "GET", headers: headers,
      connectTimeout: .seconds(1), timeout: .seconds(5), mayUseProxy: false)
    let response = try await AWSCaller(surroundings: surroundings).perform(operation)
    guard let document = try? JSON(parsing: response.body) else {
      throw AWSError.malformedCredentials(
        source: source, problem: "expected JSON, found other text")
    }
    return .found(try AWSCredentials(document, token: "Token", source: source))
  }

  private var endpoint: AWSEndpoint? {
    get throws {
      if let path = surroundings.variable(Self.relative) {
        guard path.hasPrefix("/"), let endpoint = AWSEndpoint("http://\(Self.plainHosts[0])\(path)")
        else {
          throw AWSError.unusableVariable(
            Self.relative, problem: "expected a path such as /v2/credentials/id")
        }
        return endpoint
      }
      guard let text = surroundings.variable(Self.full) else { return nil }
      guard let endpoint = AWSEndpoint(text) else {
        throw AWSError.unusableVariable(Self.full, problem: "expected an http or https URL")
      }
      let known = Self.plainHosts.map(IPAddress.init)
      guard
        endpoint.isSecure || endpoint.isLoopback
          || IPAddress(endpoint.host).map({ known.contains($0) }) == true
      else {
        throw AWSError.unusableEndpoint(variable: Self.full, .plainHTTP(host: endpoint.host))
      }
      return endpoint
    }
  }

  /// The value of the `Authorization` header; its file is read anew each time, as its owner rewrites it.
  private func authorization() async throws -> String? {
    let (variable, value): (String, String?)
    if let file = surroundings.variable("\(Self.token)_FILE") {
      variable = "\(Self.token)_FILE"
      guard let bytes = try await surroundings.contents(of: FilePath(file)) else {
        throw AWSError.unusableVariable(variable, problem: "there is no file \(file.quoted)")
      }
      value = String(decoding: bytes, as: UTF8.self)
    } else {
      (variable, value) = (Self.token, surroundings.variable(Self.token))
    }
    guard value?.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) != false else {
      throw AWSError.unusableVariable(
        variable, problem: "the token has a line break or another character that no header may have"
      )
    }
    return value
  }
}
