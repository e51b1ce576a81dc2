/// A group of regions that shares accounts and domain names: botocore's partitions.json; registry.md, C.7.
package enum AWSPartition: Sendable, Hashable, CaseIterable {
  /// The commercial regions and GovCloud, which have the same names.
  case aws
  case china, europeanSovereign, iso, isoB, isoE, isoF

  init(region: String) {
    let prefixes: [(String, AWSPartition)] = [
      ("cn-", .china), ("eusc-", .europeanSovereign), ("us-iso-", .iso), ("us-isob-", .isoB),
      ("eu-isoe-", .isoE), ("us-isof-", .isoF),
    ]
    self = prefixes.first { region.hasPrefix($0.0) }?.1 ?? .aws
  }

  /// Whether a text can be a region's name, so that it is safe in the name of a host.
  static func isRegion(_ text: String) -> Bool {
    !text.isEmpty && !text.hasPrefix("-") && text.utf8.count <= 63
      && text.utf8.allSatisfy {
        (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
      }
  }

  /// What the names of services end with.
  package var suffix: String {
    switch self {
    case .aws: "amazonaws.com"
    case .china: "amazonaws.com.cn"
    case .europeanSovereign: "amazonaws.eu"
    case .iso: "c2s.ic.gov"
    case .isoB: "sc2s.sgov.gov"
    case .isoE: "cloud.adc-e.uk"
    case .isoF: "csp.hci.ic.gov"
    }
  }

  /// What the names of registries and services end with that are reached over IPv6 too.
  package var dualStack: (registry: String, service: String)? {
    switch self {
    case .aws: ("on.aws", "api.aws")
    case .china: ("on.amazonwebservices.com.cn", "api.amazonwebservices.com.cn")
    case .europeanSovereign: ("on.amazonwebservices.eu", "api.amazonwebservices.eu")
    case .iso, .isoB, .isoE, .isoF: nil
    }
  }
}
