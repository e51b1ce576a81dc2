import OCISpec
import SystemPackage
import Testing

@testable import Credentials

@Suite struct ECRRegistryTests {
  private static let account = "123456789012.dkr"

  @Test(
    "E10: a registry's name picks the service's address",
    arguments: [
      ("\(account).ecr.us-east-1.amazonaws.com", ["api.ecr.us-east-1.amazonaws.com"]),
      ("\(account).ecr.us-gov-west-1.amazonaws.com", ["api.ecr.us-gov-west-1.amazonaws.com"]),
      ("\(account).ecr.cn-north-1.amazonaws.com.cn", ["api.ecr.cn-north-1.amazonaws.com.cn"]),
      ("\(account).ecr.eusc-de-east-1.amazonaws.eu", ["api.ecr.eusc-de-east-1.amazonaws.eu"]),
      ("\(account).ecr.us-iso-east-1.c2s.ic.gov", ["api.ecr.us-iso-east-1.c2s.ic.gov"]),
      ("\(account).ecr.us-isob-east-1.sc2s.sgov.gov", ["api.ecr.us-isob-east-1.sc2s.sgov.gov"]),
      ("\(account).ecr.eu-isoe-west-1.cloud.adc-e.uk", ["api.ecr.eu-isoe-west-1.cloud.adc-e.uk"]),
      (
        "\(account).ecr.us-isof-south-1.csp.hci.ic.gov", ["api.ecr.us-isof-south-1.csp.hci.ic.gov"]
      ),
      (
        "\(account).ecr-fips.us-east-2.amazonaws.com",
        ["ecr-fips.us-east-2.amazonaws.com", "api.ecr-fips.us-east-2.amazonaws.com"]
      ),
      ("\(account)-ecr.eu-west-1.on.aws", ["ecr.eu-west-1.api.aws"]),
      ("\(account)-ecr-fips.us-west-2.on.aws", ["ecr-fips.us-west-2.api.aws"]),
      (
        "\(account)-ecr.cn-north-1.on.amazonwebservices.com.cn",
        ["ecr.cn-north-1.api.amazonwebservices.com.cn"]
      ),
      (
        "\(account)-ecr.eusc-de-east-1.on.amazonwebservices.eu",
        ["ecr.eusc-de-east-1.api.amazonwebservices.eu"]
      ),
      ("public.ecr.aws", ["api.ecr-public.us-east-1.amazonaws.com"]),
      ("ecr-public.aws.com", ["api.ecr-public.us-east-1.amazonaws.com"]),
    ])
  func endpoints(_ host: String, endpoints: [String]) {
    let registry = ECRRegistry(Registry(host: host))
    #expect([registry?.endpoint, registry?.alternative].compactMap(\.?.host) == endpoints)
  }

  @Test(
    "E7: what only looks like Amazon's",
    arguments: [
      "\(account).ecr.us-east-1.amazonaws.com.evil.io", "\(account).ecr.us-east-1.amazonaws.com.",
      "\(account).ecr.us-east-1.evilamazonaws.com", "12345678901.dkr.ecr.us-east-1.amazonaws.com",
      "1234567890123.dkr.ecr.us-east-1.amazonaws.com", "x\(account).ecr.us-east-1.amazonaws.com",
      "evil.\(account).ecr.us-east-1.amazonaws.com", "12345678901a.dkr.ecr.us-east-1.amazonaws.com",
      "\(account).ecr..amazonaws.com", "\(account).ecr.-a.amazonaws.com",
      "\(account).ecr.us_east.amazonaws.com", "\(account).ecr.us-east-1.on.aws",
      "\(account)-ecr.us-east-1.amazonaws.com", "\(account).ecr-x.us-east-1.amazonaws.com",
      "١٢٣٤٥٦٧٨٩٠١٢.dkr.ecr.us-east-1.amazonaws.com", "public.ecr.aws.evil.io", "xpublic.ecr.aws",
      "ghcr.io", "docker.io", "",
    ])
  func strangers(_ host: String) {
    #expect(ECRRegistry(Registry(host: host)) == nil)
  }

  @Test("the port is https's or it is somebody else's")
  func ports() {
    let host = "\(Self.account).ecr.us-east-1.amazonaws.com"
    #expect(ECRRegistry(Registry(host: host, port: 443)) == ECRRegistry(Registry(host: host)))
    #expect(ECRRegistry(Registry(host: host, port: 5000)) == nil)
  }

  @Test("a name says account, region and kind")
  func parts() {
    #expect(
      ECRRegistry(Registry(host: "123456789012.dkr-ecr-fips.us-east-1.on.aws"))
        == .account("123456789012", region: "us-east-1", .aws, isFIPS: true, isDualStack: true))
  }

  @Test(
    "variables move the service",
    arguments: [
      (["AWS_ENDPOINT_URL": "https://a.test/x"], "https://a.test/x"),
      (
        ["AWS_ENDPOINT_URL": "https://a.test", "AWS_ENDPOINT_URL_ECR": "https://b.test"],
        "https://b.test/"
      ),
      (["AWS_ENDPOINT_URL_ECR": "http://localhost:4566"], "http://localhost:4566/"),
      (["AWS_ENDPOINT_URL_ECR": ""], "https://api.ecr.eu-west-1.amazonaws.com/"),
      (
        ["AWS_ENDPOINT_URL_ECR_PUBLIC": "https://b.test"],
        "https://api.ecr.eu-west-1.amazonaws.com/"
      ),
      (
        ["AWS_ENDPOINT_URL": "https://a.test", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"],
        "https://api.ecr.eu-west-1.amazonaws.com/"
      ),
    ])
  func overrides(_ variables: [String: String], url: String) throws {
    let registry = try #require(
      ECRRegistry(Registry(host: "\(Self.account).ecr.eu-west-1.amazonaws.com")))
    let surroundings = AWSSurroundings(variables, AWSScript.silent.exchange)
    let operation = try registry.operation("GetAuthorizationToken", at: surroundings)
    #expect(operation.endpoint.url == url && operation.alternative == nil)
    #expect(operation.region == "eu-west-1")
  }

  @Test(
    "variables that would show everyone what is sent, or say nothing",
    arguments: [
      ("http://moto:5000", AWSError.EndpointProblem.plainHTTP(host: "moto")),
      ("moto:5000", .notAnEndpoint), ("https://a.test/?x", .notAnEndpoint),
    ])
  func badOverrides(_ text: String, problem: AWSError.EndpointProblem) throws {
    let surroundings = AWSSurroundings(["AWS_ENDPOINT_URL_ECR": text], AWSScript.silent.exchange)
    #expect(throws: AWSError.unusableEndpoint(variable: "AWS_ENDPOINT_URL_ECR", problem)) {
      try surroundings.override(of: "ECR")
    }
  }

  @Test("AWS_CA_BUNDLE is there for whoever makes the connections")
  func authorities() {
    let exchange = AWSScript.silent.exchange
    #expect(AWSSurroundings(["AWS_CA_BUNDLE": "/a.pem"], exchange).authorities == "/a.pem")
    #expect(AWSSurroundings(["AWS_CA_BUNDLE": ""], exchange).authorities == nil)
  }
}
