import Bindings
import OCISpec
import Reporting
import SystemPackage

extension OCIArchive {
  /// Unpacks an archive into a layout at `folder`, which is empty. Every blob is hashed.
  ///
  /// Nothing but a layout's files is written, and none under a name that is not a digest; a name that is
  /// absolute or climbs out refuses the archive.
  static func unpack(_ archive: FilePath, into folder: FilePath) throws -> ImageLayout {
    let layout = try ImageLayout.create(folder)
    var documents: [String: [UInt8]] = [:]
    let members = try ArchiveMembers(archive)
    while let member = try members.next() {
      let parts = member.path.components.map { String(decoding: $0, as: UTF8.self) }
      if parts == ["oci-layout"] || parts == ["index.json"] {
        guard documents.updateValue(try members.document(member), forKey: parts[0]) == nil else {
          throw members.malformed("the member \(parts[0].quoted) is there twice")
        }
      } else if parts.first == "blobs" && member.kind != .directory {
        guard parts.count == 3, let digest = try? Digest(parsing: "\(parts[1]):\(parts[2])") else {
          throw members.malformed("the member \(member.path) is not named by a digest")
        }
        guard digest.algorithm == .sha256 else { throw LayoutError.unsupportedAlgorithm(digest) }
        let blob = try layout.store.ingest()
        try members.content(of: member) { try blob.write($0) }
        _ = try members.reading { try blob.commit(expecting: digest) }
      }
    }
    guard let marker = documents["oci-layout"], let index = documents["index.json"] else {
      throw members.malformed("expected the members \"oci-layout\" and \"index.json\"")
    }
    try members.reading { try ImageLayout.checkMarker(marker, of: archive) }
    try layout.replaceIndex(with: index)
    return layout
  }
}

/// The members of a tar, compressed or not, that somebody else made: names checked, counted and limited.
final class ArchiveMembers {
  struct Member {
    let path: ImagePath
    let kind: TarHeader.Kind
  }

  static let maximumCount = 100_000
  /// What all members may have together, unpacked.
  static let maximumByteCount: Int64 = 256 << 30

  private let archive: FilePath
  private let file: FileDescriptor
  private let reader: ArchiveReader
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
  private var count = 0
  private var byteCount: Int64 = 0

  init(_ archive: FilePath) throws {
    self.archive = archive
    let file = try FileSystem.open(archive, .readOnly, doing: "reading")
    do {
      reader = try ArchiveReader(descriptor: file, name: archive.string, format: .tar)
    } catch {
      try? file.close()
      throw error
    }
    self.file = file
  }

  deinit {
    buffer.deallocate()
    try? file.close()
  }

  func next() throws -> Member? {
    guard let member = try reader.next() else { return nil }
    count += 1
    guard count <= Self.maximumCount else {
      throw malformed("more than \(Self.maximumCount) members")
    }
    return try reading {
      Member(path: try ImagePath(archived: member.header.path), kind: member.header.kind)
    }
  }

  /// Hands the content of the member that ``next()`` returned last to `sink`.
  func content(of member: Member, to sink: ArchiveWriter.Sink) throws {
    guard case .file = member.kind else {
      throw malformed("the member \(member.path) is not a file")
    }
    while case let count = try reader.read(into: buffer), count > 0 {
      byteCount += Int64(count)
      guard byteCount <= Self.maximumByteCount else {
        throw malformed("more than \(readable(byteCount: Self.maximumByteCount)) of content")
      }
      try sink(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }

  /// The whole content of a small member.
  func document(_ member: Member) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try content(of: member) {
      bytes += $0
      guard bytes.count <= BlobStore.maximumDocumentSize else {
        throw malformed(
          "the member \(member.path) has more than \(BlobStore.maximumDocumentSize) bytes")
      }
    }
    return bytes
  }

  func malformed(_ problem: String) -> LayoutError {
    .malformedArchive(archive.string, problem: problem)
  }

  /// Runs `body` and says, where it fails, which archive it was about.
  func reading<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch {
      throw ContextualFailure("reading archive \(archive.string.quoted)", error)
    }
  }
}
