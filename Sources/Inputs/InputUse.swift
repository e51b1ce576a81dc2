import Bindings
import Definition
import OCILayout
import OCISpec
import Remote
import Reporting
import SystemPackage
import Workers

/// One platform's use of one input.
struct InputUse: Sendable {
  let platform: Platform
  let input: Input

  /// What must be fetched for it; `nil` for a local file.
  var download: Download? {
    guard case .url(let url, let digest) = input.source else { return nil }
    return Download(url: url, digest: digest)
  }

  /// What must be taken out of its archive; `nil` where there is nothing to take or no archive that could be
  /// trusted.
  func extraction(after fetched: FetchedFiles) -> Extraction? {
    guard let member = input.member else { return nil }
    switch input.source {
    case .url(_, nil): return nil
    case .url(let url, _?):
      guard let archive = try? digest(in: fetched) else { return nil }
      return Extraction(archive: .blob(archive), name: RemoteURL.redact(url), member: member)
    case .file(let path):
      return Extraction(archive: .file(path), name: path.string, member: member)
    }
  }

  /// The digest of what was fetched for it, or why there is none.
  func digest(in fetched: FetchedFiles) throws -> Digest {
    guard let download, let result = fetched[download] else {
      preconditionFailure("every download has a result")
    }
    return try result.get()
  }

  /// The file it comes to, or why there is none.
  func file(
    after fetched: FetchedFiles, _ members: ExtractedFiles, cache: BlobStore
  ) throws -> InputFile {
    switch input.source {
    case .url:
      let digest = try digest(in: fetched)
      guard input.member != nil else {
        return InputFile(path: cache.path(of: digest), isExecutable: false)
      }
    case .file(let path):
      let file = try Self.localFile(path)
      guard input.member != nil else { return file }
    }
    guard let extraction = extraction(after: fetched), let result = members[extraction] else {
      preconditionFailure("every extraction has a result")
    }
    let member = try result.get()
    return InputFile(path: cache.path(of: member.digest), isExecutable: member.isExecutable)
  }

  /// A file that is read where it lies.
  private static func localFile(_ path: FilePath) throws -> InputFile {
    guard let status = try FileSystem.status(of: path) else {
      throw FileError("reading", path, .noSuchFileOrDirectory)
    }
    guard status.kind == .file else { throw InputError.notAFile(path.string, found: status.kind) }
    let file = try FileSystem.open(path, .readOnly, doing: "reading")
    try? file.close()
    return InputFile(path: path, isExecutable: status.mode & 0o111 != 0)
  }
}

/// A distinct thing to fetch.
struct Download: Sendable, Hashable {
  let url: String
  let digest: Digest?
}

/// A distinct member to take out of an archive.
struct Extraction: Sendable, Hashable {
  enum Archive: Sendable, Hashable {
    case blob(Digest)
    /// Its content may change, so nothing about it is remembered.
    case file(FilePath)
  }

  let archive: Archive
  /// For messages.
  let name: String
  let member: String

  /// Looks the member up where that is known, else extracts it; its bytes are hashed either way.
  func run(cache: BlobStore, reporter: Reporter) async throws -> ExtractedMember {
    try await withBlockingWork {
      guard let found = try known(in: cache) else { return try extract(into: cache) }
      if try cache.verify(found.digest) { return found }
      let path = cache.path(of: found.digest)
      reporter.warn("the cached file \(path.string.quoted) is damaged; extracting it again")
      // What is extracted takes the place of the damaged blob.
      return try extract(into: cache)
    }
  }

  private func known(in cache: BlobStore) throws -> ExtractedMember? {
    guard case .blob(let digest) = archive else { return nil }
    return try MemberIndex(cache: cache).lookUp(member, of: digest)
  }

  private func extract(into cache: BlobStore) throws -> ExtractedMember {
    let path =
      switch archive {
      case .file(let path): path
      case .blob(let digest): cache.path(of: digest)
      }
    var extraction = try MemberExtraction(
      member: member, archive: path, archiveName: name, cache: cache)
    let extracted = try extraction.extract(from: path)
    if case .blob(let digest) = archive {
      try MemberIndex(cache: cache).remember(extracted, as: member, of: digest)
    }
    return extracted
  }
}

typealias FetchedFiles = [Download: Result<Digest, any Error>]
typealias ExtractedFiles = [Extraction: Result<ExtractedMember, any Error>]
