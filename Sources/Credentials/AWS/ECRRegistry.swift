package import OCISpec

/// What the name of an Amazon ECR registry says: registry.md, C.7. The region of the API is the registry's,
/// whatever `AWS_REGION` says.
package enum ECRRegistry: Sendable, Hashable {
  /// ECR Public: everybody may pull; pushing is for the owners.
  case gallery
  case account(String, region: String, AWSPartition, isFIPS: Bool, isDualStack: Bool)

  /// `nil` for every other registry, however its name begins.
  package init?(_ registry: Registry) {
    guard registry.port == nil || registry.port == 443 else { return nil }
    if ["public.ecr.aws", "ecr-public.aws.com"].contains(registry.host) {
      self = .gallery
      return
    }
    // 123456789012.dkr.ecr.eu-central-1.amazonaws.com
    // 123456789012.dkr-ecr-fips.us-east-1.on.aws
    let parts = registry.host.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let kinds = [
      ("dkr.ecr.", false, false), ("dkr.ecr-fips.", true, false), ("dkr-ecr.", false, true),
      ("dkr-ecr-fips.", true, true),
    ]
    guard parts.count == 2, parts[0].utf8.count == 12,
      parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let (prefix, isFIPS, isDualStack) = kinds.first(where: { parts[1].hasPrefix($0.0) })
    else { return nil }
    let place = parts[1].dropFirst(prefix.count)
      .split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard place.count == 2, AWSPartition.isRegion(String(place[0])),
      let partition = AWSPartition.allCases.first(where: {
        (isDualStack ? $0.dualStack?.registry : $0.suffix) == String(place[1])
      })
    else { return nil }
    self = .account(
      String(parts[0]), region: String(place[0]), partition, isFIPS: isFIPS,
      isDualStack: isDualStack)
  }

  package var region: String {
    switch self {
    case .gallery: "us-east-1"
    case .account(_, let region, _, _, _): region
    }
  }

  /// The service's name in signatures and in IAM policies.
  var service: String { self == .gallery ? "ecr-public" : "ecr" }

  /// For people: `Amazon ECR in eu-central-1`.
  package var name: String { self == .gallery ? "Amazon ECR Public" : "Amazon ECR in \(region)" }

  /// The service's address.
  var endpoint: AWSEndpoint {
    switch self {
    case .gallery: return AWSEndpoint(host: "api.ecr-public.us-east-1.amazonaws.com")
    case .account(_, let region, let partition, let isFIPS, let isDualStack):
      if isDualStack, let suffix = partition.dualStack?.service {
        return AWSEndpoint(host: "\(isFIPS ? "ecr-fips" : "ecr").\(region).\(suffix)")
      }
      return AWSEndpoint(host: "\(isFIPS ? "ecr-fips" : "api.ecr").\(region).\(partition.suffix)")
    }
  }

  /// What the service may be called too: botocore's endpoints.json has the one name for FIPS, its
  /// endpoint-rule-set-1.json this one.
  var alternative: AWSEndpoint? {
    guard case .account(_, let region, let partition, isFIPS: true, isDualStack: false) = self
    else {
      return nil
    }
    return AWSEndpoint(host: "api.ecr-fips.\(region).\(partition.suffix)")
  }

  /// An operation of the registry's API.
  func operation(
    _ name: String, _ parameters: JSON = .object(JSONObject()), at surroundings: AWSSurroundings
  ) throws(AWSError) -> AWSOperation {
    let isGallery = self == .gallery
    let target = isGallery ? "SpencerFrontendService" : "AmazonEC2ContainerRegistry_V20150921"
    let override = try surroundings.override(of: isGallery ? "ECR_PUBLIC" : "ECR")
    return AWSOperation(
      action: "\(service):\(name)", endpoint: override ?? endpoint,
      alternative: override == nil ? alternative : nil, region: region,
      service: service,
      headers: [
        ("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "\(target).\(name)"),
      ],
      body: CanonicalJSON.encode(parameters))
  }
}
