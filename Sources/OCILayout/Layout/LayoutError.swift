package import OCISpec
package import Reporting

/// What can be wrong with a layout or with what goes into it.
package enum LayoutError: Failure, Equatable {
  case corruptBlob(String, expected: Digest, found: Digest)
  case digestMismatch(expected: Digest, found: Digest, byteCount: Int64)
  case sizeMismatch(Digest, expected: Int64, found: Int64)
  case missingBlob(Digest, layout: String)
  case unsupportedAlgorithm(Digest)
  case malformedDocument(String, any Error)
  case unexpectedMediaType(Digest, MediaType, expected: String)
  case nestedTooDeep(Digest, limit: Int)
  case tooManyEntries(Digest, limit: Int)

  case noLayout(String, found: String)
  case unknownLayoutVersion(String, found: String)
  case foreignDirectory(String, holds: [String])
  case foreignTemporaryDirectory(String, found: String)
  case malformedTag(String)
  case noSuchTag(String, layout: String, tags: [String])
  case ambiguousTag(String?, layout: String, choices: [String])
  case noSuchDigest(Digest, reference: String)
  case busy(String, writers: Int)

  case noSingleManifest(Digest, MediaType)
  case malformedArchive(String, problem: String)
  case noSuchImage(String, archive: String, names: [String])

  package static func == (a: Self, b: Self) -> Bool { a.description == b.description }

  package var kind: FailureKind {
    switch self {
    case .noLayout, .missingBlob, .noSuchTag, .ambiguousTag, .noSuchDigest, .noSuchImage: .notFound
    case .malformedTag, .noSingleManifest: .usage
    case .foreignDirectory, .foreignTemporaryDirectory, .busy: .cannotWrite
    default: .data
    }
  }

  package var description: String {
    switch self {
    case .corruptBlob(let path, let expected, let found):
      "reading blob \(path.quoted): digest mismatch: expected \(expected), found \(found); the file was changed after it was written"
    case .digestMismatch(let expected, let found, let byteCount):
      "digest mismatch: expected \(expected), got \(found) after \(byteCount) bytes"
    case .sizeMismatch(let digest, let expected, let found):
      "reading blob \(digest): its descriptor says \(expected) bytes, found \(found)"
    case .missingBlob(let digest, let layout):
      "layout \(layout.quoted) has no blob \(digest)"
    case .unsupportedAlgorithm(let digest):
      "blob \(digest): expected a sha256 digest; blobs of other algorithms are not written"
    case .malformedDocument(let name, let problem): "reading \(name): \(problem)"
    case .unexpectedMediaType(let digest, let type, let expected):
      "reading \(digest): expected \(expected), found media type \(type.rawValue.quoted)"
    case .nestedTooDeep(let digest, let limit):
      "reading index \(digest): indexes are nested deeper than \(limit) levels"
    case .tooManyEntries(let digest, let limit):
      "reading index \(digest): more than \(limit) entries"

    case .noLayout(let path, let found):
      "\(path.quoted) is not an image layout: expected a folder with the files \"oci-layout\" and \"index.json\", found \(found)"
    case .unknownLayoutVersion(let path, let found):
      "layout \(path.quoted): expected imageLayoutVersion \"1.0.0\" in \"oci-layout\", found \(found)"
    case .foreignDirectory(let path, let names):
      "writing layout \(path.quoted): expected an empty folder or an image layout, found \(names.list(upTo: 3)); name another folder"
    case .foreignTemporaryDirectory(let path, let found):
      "writing temporary files to \(path.quoted): expected nothing or a folder of this user's, found \(found); remove or rename it"
    case .malformedTag(let tag):
      "not a tag: expected up to 128 letters, digits, \"_\", \".\" and \"-\", not starting with \".\" or \"-\", got \(tag.quoted)"
    case .noSuchTag(let tag, let layout, let tags):
      "layout \(layout.quoted) has no tag \(tag.quoted); \(tags.isEmpty ? "it has none" : "it has \(tags.list(upTo: 20))")"
    case .ambiguousTag(let tag, let layout, let choices):
      "layout \(layout.quoted) has several images\(tag.map { " for \($0.quoted)" } ?? " and none is tagged \"latest\""): \(choices.list(upTo: 20)); name one as oci:DIR:TAG or oci:DIR@DIGEST"
    case .noSuchDigest(let digest, let reference):
      "nothing that \(reference.quoted) leads to has the digest \(digest)"
    case .busy(let path, let writers):
      "layout \(path.quoted): \(writers) other writer\(writers == 1 ? " is" : "s are") at work; collect garbage when they are done"

    case .noSingleManifest(let digest, let type):
      "writing a docker archive: it holds one platform's image, \(digest) is \(type.isIndex ? "an index" : "of type \(type.rawValue.quoted)"); choose a platform"
    case .malformedArchive(let path, let problem): "reading archive \(path.quoted): \(problem)"
    case .noSuchImage(let name, let archive, let names):
      "archive \(archive.quoted) has \(name.isEmpty ? "several images" : "no image \(name.quoted)"); it has \(names.isEmpty ? "none with a name" : names.list(upTo: 20))"
    }
  }
}

extension [String] {
  /// The texts quoted, separated by commas, with the count of those beyond `limit`.
  fileprivate func list(upTo limit: Int) -> String {
    let shown = prefix(limit).map(\.quoted).joined(separator: ", ")
    return count > limit ? "\(shown) and \(count - limit) more" : shown
  }
}
