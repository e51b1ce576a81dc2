import Bindings
import OCILayout
import OCISpec
import Reporting
import SystemPackage

/// One file out of an archive, on its way into the cache.
///
/// The archive is read to its end: where it has a name more than once, the last one counts, as it would after
/// unpacking with tar; and an archive that is cut off is noticed. All work is synchronous: call it within
/// `withBlockingWork`.
struct MemberExtraction {
  /// The member without a leading `./`.
  let member: String
  /// For messages: the archive's URL or path.
  let archiveName: String
  let cache: BlobStore
  /// Decompressed bytes, those that are skipped included.
  private var budget: Int64

  init(member: String, archive: FilePath, archiveName: String, cache: BlobStore) throws {
    self.member = String(decoding: Self.normal(Array(member.utf8)), as: UTF8.self)
    self.archiveName = archiveName
    self.cache = cache
    guard let status = try FileSystem.status(of: archive) else {
      throw FileError("reading", archive, .noSuchFileOrDirectory)
    }
    guard status.kind == .file else {
      throw InputError.notAFile(archive.string, found: status.kind)
    }
    budget = Self.limit(compressedSize: status.size)
  }

  /// registry.md, F.1.
  static func limit(compressedSize: Int64) -> Int64 {
    min(64 << 30, compressedSize.multipliedReportingOverflow(by: 1000).partialValue + 64 << 20)
  }

  /// - Returns: the member's digest in the cache.
  mutating func extract(from archive: FilePath) throws -> ExtractedMember {
    let limit = budget
    let reader = try ArchiveReader(path: archive)
    guard let first = try reader.next() else { throw notThere(Listing()) }
    guard Self.normal(first.header.path) == Array("debian-binary".utf8) else {
      return try search(reader, from: first, limit: limit)
    }
    let data = try debianData(reader, limit: limit)
    defer { try? data.close() }
    let inner = try ArchiveReader(descriptor: data, name: archiveName, format: .tar)
    guard let first = try inner.next() else { throw notThere(Listing()) }
    return try search(inner, from: first, limit: limit)
  }

  private mutating func search(
    _ reader: ArchiveReader, from first: ArchiveMember, limit: Int64
  ) throws -> ExtractedMember {
    var listing = Listing()
    var found: Found?
    var next: ArchiveMember? = first
    while let current = next {
      let name = Self.normal(current.header.path)
      if name == Array(member.utf8) {
        found = Found(
          file: current.linkTarget ?? name, isExecutable: current.header.mode & 0o111 != 0,
          content: try content(of: current, from: reader, limit: limit))
      } else if let file = found?.file, current.linkTarget == file, current.contentSize > 0 {
        found?.content = try content(of: current, from: reader, limit: limit)
      } else {
        if case .file = current.header.kind { listing.add(name) }
        try spend(current.contentSize, limit: limit)
      }
      next = try reader.next()
    }
    guard let found else { throw notThere(listing) }
    let blob = try found.content.get().commit()
    return ExtractedMember(digest: blob.digest, isExecutable: found.isExecutable)
  }

  /// The member, as its last header has it.
  private struct Found {
    /// The name that the archive first gave the file. cpio writes the content with the last of its names, so
    /// a later member with this target may bring it.
    let file: [UInt8]
    let isExecutable: Bool
    var content: Result<BlobIngest, MemberError>
  }

  private mutating func content(
    of current: ArchiveMember, from reader: ArchiveReader, limit: Int64
  ) throws -> Result<BlobIngest, MemberError> {
    if let obstacle = Self.obstacle(current) {
      return .failure(.notAFile(member, archive: archiveName, is: obstacle))
    }
    let blob = try cache.ingest()
    try copy(reader, limit: limit) { try blob.write($0) }
    return .success(blob)
  }

  /// The tar inside a Debian package (deb(5)), in a file that has no name and goes with its descriptor.
  private mutating func debianData(
    _ reader: ArchiveReader, limit: Int64
  ) throws -> FileDescriptor {
    while let current = try reader.next() {
      let name = String(decoding: Self.normal(current.header.path), as: UTF8.self)
      guard name == "data.tar" || name.hasPrefix("data.tar.") else { continue }
      let folder = cache.temporaryDirectory
      let file = try cache.anonymousFile()
      do {
        try copy(reader, limit: limit) { try FileSystem.writeAll(file, $0, path: folder) }
        try file.seek(offset: 0, from: .start)
      } catch {
        try? file.close()
        throw error
      }
      return file
    }
    throw MemberError.noData(archive: archiveName)
  }

  private mutating func copy(
    _ reader: ArchiveReader, limit: Int64, to write: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try reader.read(into: buffer)
      if count == 0 { return }
      try Task.checkCancellation()
      try spend(Int64(count), limit: limit)
      try write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }

  private mutating func spend(_ byteCount: Int64, limit: Int64) throws {
    guard byteCount <= budget else {
      throw MemberError.tooLarge(member, archive: archiveName, limit: limit)
    }
    budget -= max(0, byteCount)
  }

  private func notThere(_ listing: Listing) -> MemberError {
    .notThere(
      member, archive: archiveName, similar: listing.similar(to: member),
      files: Array(listing.names.prefix(20)), fileCount: listing.count)
  }

  /// What stands where a file should be; `nil` for a file, whichever of its names this is.
  private static func obstacle(_ found: ArchiveMember) -> String? {
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).quoted }
    if let type = found.unsupportedType { return type }
    return switch found.header.kind {
    case .file: nil
    case .directory: "a directory"
    case .symlink(let target): "a symlink to \(text(target)); name its target instead"
    case .hardlink where found.contentSize > 0: nil
    case .hardlink(let target): "a hard link to \(text(target)); name its target instead"
    case .characterDevice, .blockDevice: "a device"
    case .fifo: "a fifo"
    }
  }

  /// The name without leading `./`, however often, and without the slash that ends a directory's.
  static func normal(_ name: [UInt8]) -> [UInt8] {
    var rest = name[...]
    while rest.starts(with: "./".utf8) { rest = rest.dropFirst(2).drop { $0 == 0x2F } }
    while rest.last == 0x2F { rest.removeLast() }
    return Array(rest)
  }
}

extension ArchiveMember {
  /// What a hard link is another name of.
  fileprivate var linkTarget: [UInt8]? {
    if case .hardlink(let target) = header.kind { MemberExtraction.normal(target) } else { nil }
  }
}

/// What an extraction brought into the cache.
struct ExtractedMember: Sendable, Equatable {
  let digest: Digest
  let isExecutable: Bool
}

/// The regular files of an archive, as many as a message needs.
private struct Listing {
  private(set) var names: [String] = []
  private(set) var count = 0

  mutating func add(_ name: [UInt8]) {
    count += 1
    if names.count < 1000 { names.append(String(decoding: name, as: UTF8.self)) }
  }

  /// Members whose last part is the one asked for, else the one that differs least.
  func similar(to member: String) -> [String] {
    let last = member.split(separator: "/").last
    let homonyms = names.filter { $0.split(separator: "/").last == last }
    return homonyms.isEmpty
      ? member.nearest(in: names).map { [$0] } ?? [] : Array(homonyms.prefix(3))
  }
}
