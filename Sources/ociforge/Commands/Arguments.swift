import Bindings
import OCISpec
import Reporting
import SystemPackage

/// `NAME=VALUE` of `--set`.
struct ParameterAssignment {
  let name: String
  let value: String

  init(parsing text: String) throws {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else { throw UsageError.malformedAssignment }
    name = String(parts[0])
    value = String(parts[1])
  }
}

extension [ParameterAssignment] {
  /// By name; a name that is set twice is a mistake.
  func dictionary() throws -> [String: String] {
    var values: [String: String] = [:]
    for assignment in self {
      guard values.updateValue(assignment.value, forKey: assignment.name) == nil else {
        throw UsageError.parameterSetTwice(assignment.name)
      }
    }
    return values
  }
}

/// The one time in an image: seconds since 1970, below 2^33, which is what a tar header holds.
struct Epoch {
  let seconds: Int64

  init(seconds: Int64) { self.seconds = seconds }

  init(parsing text: String) throws {
    let isDigits = text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    guard isDigits, let seconds = Int64(text), seconds < 1 << 33 else {
      throw UsageError.malformedEpoch
    }
    self.seconds = seconds
  }

  /// The flag, else the definition's, else `SOURCE_DATE_EPOCH`, which is said, else 0.
  static func choose(flag: Epoch?, definition: Int64?, _ reporter: Reporter) throws -> Epoch {
    if let flag { return flag }
    if let definition { return Epoch(seconds: definition) }
    guard let text = environment("SOURCE_DATE_EPOCH") else { return Epoch(seconds: 0) }
    guard let epoch = try? Epoch(parsing: text) else { throw UsageError.sourceDateEpoch(text) }
    reporter.report(.notice("epoch \(epoch.seconds) from SOURCE_DATE_EPOCH"))
    return epoch
  }
}

/// What is wrong with a command line beyond its grammar.
enum UsageError: Failure {
  case malformedAssignment
  case malformedEpoch
  case parameterSetTwice(String)
  case archiveToTerminal
  case sourceDateEpoch(String)
  case definitionExists(FilePath)
  case tlsVerify(String)
  case setting(String, any Error)
  case pullIntoRegistry(String)
  case notARegistryReference(String)
  case nothingToDelete(String)
  case tagAndDigestToDelete(String)
  case otherDigest(String, found: Digest)
  case passwordForSeveral([Registry])
  case creationElsewhere(Registry)
  case dockerArchiveOfSeveral([Platform])
  case notALayout(String)
  case notAWholeLayout(String)
  case noTagToRemove(String)
  case severalPlatforms([Platform], reference: String)
  case noSuchPlatform(Platform, found: [Platform], reference: String)

  var kind: FailureKind {
    switch self {
    case .noSuchPlatform: .notFound
    case .definitionExists: .cannotWrite
    case .otherDigest: .data
    default: .usage
    }
  }

  var description: String {
    switch self {
    case .malformedAssignment: "expected NAME=VALUE"
    case .malformedEpoch: "expected seconds since 1970 as digits below 2^33"
    case .archiveToTerminal:
      "stdout is a terminal, and an archive is not for reading; redirect it, or name a file"
    case .parameterSetTwice(let name): "parameter \(name.quoted) is set twice"
    case .sourceDateEpoch(let text):
      "SOURCE_DATE_EPOCH: expected seconds since 1970 as digits below 2^33, got \(text.quoted); mend it or give --epoch"
    case .tlsVerify(let text):
      "OCIFORGE_TLS_VERIFY: expected true or false, got \(text.quoted)"
    case .setting(let name, let problem): "\(name): \(problem)"
    case .pullIntoRegistry(let reference):
      "pull writes to oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME], got \(reference.quoted); \"ociforge copy\" goes from registry to registry"
    case .nothingToDelete(let reference):
      "expected a tag or a digest to delete, such as \("\(reference):TAG".quoted), got \(reference.quoted)"
    case .tagAndDigestToDelete(let reference):
      "expected a tag or a digest to delete, got both in \(reference.quoted): a tag goes alone, a digest takes all of its tags along"
    case .notARegistryReference(let reference):
      "expected an image in a registry, HOST/PATH[:TAG], got \(reference.quoted)"
    case .otherDigest(let reference, let found):
      "\(reference.quoted) says another digest than the image has: \(found); nothing was sent"
    case .creationElsewhere(let registry):
      "--create-repository makes repositories of Amazon ECR; \(registry) is none of it"
    case .passwordForSeveral(let registries):
      "--username and --password-stdin are for one registry, the command has \(registries.map(\.description).joined(separator: ", ")); use \"ociforge login\""
    case .notALayout(let reference):
      "expected an image in a layout, oci:DIR[:TAG], got \(reference.quoted)"
    case .notAWholeLayout(let reference):
      "expected a layout, oci:DIR, got \(reference.quoted); all that no tag reaches goes, untag what is not needed"
    case .noTagToRemove(let reference):
      "expected a tag to take away, such as oci:DIR:TAG, got \(reference.quoted)"
    case .definitionExists(let file):
      "writing \(file.string.quoted): it is there already and is never replaced; name another folder"
    case .dockerArchiveOfSeveral(let platforms):
      "--docker-archive takes one platform, the definition has \(Self.list(platforms)); choose one with --platform"
    case .severalPlatforms(let platforms, let reference):
      "\(reference.quoted) has several platforms: \(Self.list(platforms)); choose one with --platform"
    case .noSuchPlatform(let platform, let found, let reference):
      "no image for \(platform) in \(reference.quoted), which has \(Self.list(found))"
    }
  }

  private static func list(_ platforms: [Platform]) -> String {
    platforms.map(\.description.printable).joined(separator: ", ")
  }
}
