package import OCISpec
package import Reporting

/// What can be wrong with a layout or with what goes into it.
package enum LayoutError: Failure, Equatable {
  case corruptBlob(String, expected: Digest, found: Digest)
  case digestMismatch(expected: Digest, found: Digest, byteCount: Int64)

  package var kind: FailureKind { .data }

  package var description: String {
    switch self {
    case .corruptBlob(let path, let expected, let found):
      "reading blob \(path.quoted): digest mismatch: expected \(expected), found \(found); the file was changed after it was written"
    case .digestMismatch(let expected, let found, let byteCount):
      "digest mismatch: expected \(expected), got \(found) after \(byteCount) bytes"
    }
  }
}
