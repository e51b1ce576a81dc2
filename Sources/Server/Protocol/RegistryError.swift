import NIOHTTP1
import OCISpec
import Reporting

/// Why a request is not granted: distribution-spec, "Error Codes".
enum RegistryError: Error, Equatable {
  case notFound(String)
  case malformedTarget
  case methodNotAllowed(HTTPMethod, allowed: [HTTPMethod])
  case readOnly
  case browserRefused

  case nameInvalid(String)
  case nameUnknown(RepositoryName)
  case tagInvalid(String)
  case pageInvalid(String)

  case blobUnknown(Digest)
  case rangeUnsatisfiable(size: Int64)
  case uploadUnknown
  case uploadBusy
  case tooManyUploads(limit: Int)
  case contentTypeInvalid(String)
  case contentRangeInvalid(String)
  /// A chunk that does not begin where the upload stands.
  case chunkOutOfOrder(first: Int64, expected: Int64, location: String)
  case sizeInvalid(expected: Int64, found: Int64)
  case digestMissing
  case digestInvalid(String)
  case digestUnsupported(Digest.Algorithm)

  case manifestUnknown(String)
  case manifestNotAccepted(MediaType)
  case manifestInvalid(String)
  case manifestBlobUnknown([Digest])
  case manifestTooLarge(limit: Int)
  case manifestHeld(Digest)

  /// The layout cannot be read or written.
  case failure(String)

  var status: HTTPResponseStatus {
    switch self {
    case .notFound, .nameUnknown, .tagInvalid, .blobUnknown, .uploadUnknown, .manifestUnknown,
      .manifestNotAccepted, .manifestBlobUnknown:
      .notFound
    case .methodNotAllowed, .readOnly, .manifestHeld: .methodNotAllowed
    case .browserRefused: .forbidden
    case .rangeUnsatisfiable, .chunkOutOfOrder: .rangeNotSatisfiable
    case .uploadBusy: .conflict
    case .tooManyUploads: .tooManyRequests
    case .contentTypeInvalid: .unsupportedMediaType
    case .manifestTooLarge: .payloadTooLarge
    case .failure: .internalServerError
    default: .badRequest
    }
  }

  private var code: String {
    switch self {
    case .notFound, .methodNotAllowed, .readOnly, .manifestHeld, .pageInvalid, .malformedTarget:
      "UNSUPPORTED"
    case .browserRefused: "DENIED"
    case .nameInvalid: "NAME_INVALID"
    case .nameUnknown: "NAME_UNKNOWN"
    case .blobUnknown: "BLOB_UNKNOWN"
    case .uploadUnknown: "BLOB_UPLOAD_UNKNOWN"
    case .rangeUnsatisfiable, .uploadBusy, .contentTypeInvalid, .contentRangeInvalid,
      .chunkOutOfOrder:
      "BLOB_UPLOAD_INVALID"
    case .tooManyUploads: "TOOMANYREQUESTS"
    case .sizeInvalid: "SIZE_INVALID"
    case .digestMissing, .digestInvalid, .digestUnsupported: "DIGEST_INVALID"
    case .tagInvalid, .manifestUnknown, .manifestNotAccepted: "MANIFEST_UNKNOWN"
    case .manifestInvalid, .manifestTooLarge: "MANIFEST_INVALID"
    case .manifestBlobUnknown: "MANIFEST_BLOB_UNKNOWN"
    case .failure: "UNKNOWN"
    }
  }

  private var headers: HTTPHeaders {
    switch self {
    case .methodNotAllowed(_, let allowed):
      ["Allow": allowed.map(\.rawValue).joined(separator: ", ")]
    case .readOnly, .manifestHeld: ["Allow": "GET, HEAD"]
    case .rangeUnsatisfiable(let size): ["Content-Range": "bytes */\(size)"]
    case .chunkOutOfOrder(_, let expected, let location):
      ["Location": location, "Range": receivedRange(byteCount: expected)]
    case .tooManyUploads: ["Retry-After": "60"]
    default: [:]
    }
  }

  /// The answer: one entry for each thing that is wrong.
  var response: ServerResponse {
    let errors: [JSON]
    if case .manifestBlobUnknown(let digests) = self {
      errors = digests.map { entry(Self.message(unknown: $0), detail: $0) }
    } else {
      errors = [entry(message, detail: nil)]
    }
    return .json(.object(["errors": .array(errors)]), status: status, headers: headers)
  }

  private func entry(_ message: String, detail digest: Digest?) -> JSON {
    .object([
      "code": .string(code), "message": .string(message),
      "detail": digest.map { .object(["digest": .string($0.description)]) },
    ])
  }
}

/// How much of a blob has come, as `Range` says it. Like other registries, it cannot tell nothing from one byte.
func receivedRange(byteCount: Int64) -> String { "0-\(max(0, byteCount - 1))" }
