package import Reporting

/// What can be wrong with one member of an archive. Paths are the archive's and the member's, for messages.
package enum MemberError: Failure, Equatable {
  /// `similar` are likely slips, `files` the archive's first regular files out of `fileCount`.
  case notThere(String, archive: String, similar: [String], files: [String], fileCount: Int)
  case notAFile(String, archive: String, is: String)
  case noData(archive: String)
  case tooLarge(String, archive: String, limit: Int64)

  package var kind: FailureKind { .data }

  package var description: String {
    switch self {
    case .notThere(let member, let archive, let similar, let files, let fileCount):
      "extracting \(member.quoted) from \(archive): there is no such member"
        + (similar.isEmpty
          ? "" : "; did you mean \(similar.map(\.quoted).joined(separator: " or "))")
        + (files.isEmpty
          ? "; the archive has no files"
          : "; it has \(fileCount) file\(fileCount == 1 ? "" : "s"): "
            + files.map(\.quoted).joined(separator: ", ") + (fileCount > files.count ? ", …" : ""))
    case .notAFile(let member, let archive, let what):
      "extracting \(member.quoted) from \(archive): expected a file, found \(what)"
    case .noData(let archive):
      "reading the Debian package \(archive): expected a member \"data.tar\" with its files, found none"
    case .tooLarge(let member, let archive, let limit):
      "extracting \(member.quoted) from \(archive): more than \(readable(byteCount: limit)) of content, the limit for an archive of its size"
    }
  }
}
