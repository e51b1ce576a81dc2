import NIOHTTP1
import OCISpec
import Reporting

extension RegistryError: CustomStringConvertible {
  var description: String { message }

  static func message(unknown digest: Digest) -> String {
    "the manifest refers to \(digest), which is not here; push it first"
  }

  /// The sentence for people. What a client sent is quoted.
  var message: String {
    switch self {
    case .notFound(let path): "\(path.quoted) is no path of the distribution-spec"
    case .malformedTarget: "the request's target is not percent-encoded UTF-8"
    case .methodNotAllowed(let method, let allowed):
      "expected \(allowed.map(\.rawValue).joined(separator: ", ")), got \(method.rawValue.quoted)"
    case .readOnly: "this layout is served read-only"
    case .browserRefused: "a web page must not change what is here"

    case .nameInvalid(let name): "\(name.quoted) is not a repository name"
    case .nameUnknown(let name): "no repository \(name.text.quoted)"
    case .tagInvalid(let text): "\(text.quoted) is neither a tag nor a digest"
    case .pageInvalid(let text): "expected a number of entries in \"n\", got \(text.quoted)"

    case .blobUnknown(let digest): "no blob \(digest)"
    case .rangeUnsatisfiable(let size): "the range begins after the blob's \(size) bytes"
    case .uploadUnknown: "no such upload; begin another"
    case .uploadBusy: "another request is writing to this upload"
    case .tooManyUploads(let limit): "\(limit) uploads are at work already"
    case .contentTypeInvalid(let type):
      "expected application/octet-stream, got \(type.quoted)"
    case .contentRangeInvalid(let text):
      "expected Content-Range as FIRST-LAST, got \(text.quoted)"
    case .chunkOutOfOrder(let first, let expected, _):
      "expected a chunk that begins at byte \(expected), got one at byte \(first)"
    case .sizeInvalid(let expected, let found): "expected \(expected) bytes, got \(found)"
    case .digestMissing: "expected a parameter \"digest\""
    case .digestInvalid(let problem): problem
    case .digestUnsupported(let algorithm):
      "expected a sha256 digest, got one by \(algorithm.rawValue)"

    case .manifestUnknown(let reference): "no manifest \(reference.quoted)"
    case .manifestNotAccepted(let type):
      "the manifest is of type \(type.rawValue.quoted), which Accept does not list"
    case .manifestInvalid(let problem): problem
    case .manifestBlobUnknown(let digests):
      digests.map(Self.message).joined(separator: "; ")
    case .manifestTooLarge(let limit): "a manifest has at most \(limit) bytes"
    case .manifestHeld(let digest):
      "an index holds \(digest); delete that"
    case .failure(let problem): problem
    }
  }
}
