import Bindings
import OCILayout
import OCISpec
import SystemPackage

/// Which blob a member of a pinned archive is: `members/<hash of archive and member>` in the cache, so that
/// the archive is read once. A lost or broken record costs an extraction, nothing else.
struct MemberIndex {
  let cache: BlobStore

  /// `nil` where it is not known, or its blob is gone. The blob's bytes are not looked at.
  func lookUp(_ member: String, of archive: Digest) throws -> ExtractedMember? {
    guard let bytes = try? FileSystem.readAll(path(member, of: archive), limit: 256) else {
      return nil
    }
    let parts = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    guard parts.count == 2, let digest = try? Digest(parsing: String(parts[0])),
      ["file\n", "executable\n"].contains(parts[1]), try cache.size(of: digest) != nil
    else { return nil }
    return ExtractedMember(digest: digest, isExecutable: parts[1] == "executable\n")
  }

  func remember(_ extracted: ExtractedMember, as member: String, of archive: Digest) throws {
    let path = try path(member, of: archive)
    let text = "\(extracted.digest) \(extracted.isExecutable ? "executable" : "file")\n"
    try FileSystem.createDirectories(path.removingLastComponent())
    try cache.replace(path) { file in
      try Array(text.utf8).withUnsafeBytes { try FileSystem.writeAll(file, $0, path: path) }
    }
  }

  private func path(_ member: String, of archive: Digest) throws -> FilePath {
    let key = try Digest.sha256(of: Array("member v1\0\(archive)\0\(member)".utf8))
    return cache.root.appending("members").appending(key.hex)
  }
}
