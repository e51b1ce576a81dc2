package import Bindings
package import OCISpec
package import Reporting

/// What can be wrong with an input before anything is fetched, or because it is not pinned.
package enum InputError: Failure, Equatable {
  /// `found` is what the URL gave just now, by platform; `nil` where the network is forbidden.
  case unpinned(url: String, found: [Platform: Digest]?)
  case notAFile(String, found: FileStatus.Kind)

  package var kind: FailureKind { .data }

  package var description: String {
    switch self {
    case .unpinned(let url, nil):
      "\(url) is not pinned; add its sha256, or run once without --offline to see it"
    case .unpinned(let url, let found?):
      "\(url) is not pinned; compare what it gives now with what its publisher says, then add this line:\n    \(Self.line(found))"
    case .notAFile(let path, let kind):
      "reading \(path.quoted): expected a regular file, found a \(kind)"
    }
  }

  private static func line(_ found: [Platform: Digest]) -> String {
    let digests = Set(found.values)
    if digests.count == 1, let digest = digests.first { return "sha256: \"\(digest.hex)\"" }
    let items = found.sorted { $0.key < $1.key }.map { "\($0.key): \"\($0.value.hex)\"" }
    return "sha256: { \(items.joined(separator: ", ")) }"
  }
}
