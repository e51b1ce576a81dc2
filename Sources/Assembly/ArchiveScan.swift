import Bindings
import Definition
import OCILayout
import OCISpec
import Reporting
import SystemPackage

/// The members of an archive as entries of a layer: their 12 mode bits, owners, symlinks and hardlinks are
/// kept, times become the epoch. Names that could leave the image, and numbers that a layer cannot hold, are
/// refused.
struct ArchiveScan {
  let entry: LayerEntry
  let epoch: Int64
  /// Takes the files' bytes; an archive can be read only once and in its own order.
  let spool: Spool

  /// A path's entry, and which file it is: names that were linked while the archive was read are one file,
  /// whatever their paths lead to later.
  private struct Found {
    var entry: PlannedEntry
    var file: Int
  }

  // registry.md, F.1.
  private static let maximumMemberCount = 5_000_000
  private static func maximumByteCount(archiveSize: Int64) -> Int64 {
    min(64 << 30, archiveSize.multipliedReportingOverflow(by: 1000).partialValue + 64 << 20)
  }

  func entries(of archive: FilePath) throws -> [PlannedEntry] {
    let reader = try ArchiveReader(path: archive)
    let limit = Self.maximumByteCount(archiveSize: try FileSystem.status(of: archive)?.size ?? 0)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    var found: [ImagePath: Found] = [:]
    var offset: Int64 = 0
    var count = 0
    while let member = try reader.next() {
      count += 1
      guard count <= Self.maximumMemberCount else {
        throw hostile(archive, "more than \(Self.maximumMemberCount) members")
      }
      let name = ImagePath.escaped(member.header.path).quoted
      let path = try place(member.header.path, in: archive)
      let start = offset
      while true {
        let byteCount = try reader.read(into: buffer)
        if byteCount == 0 { break }
        offset += Int64(byteCount)
        guard offset <= limit else {
          throw hostile(
            archive, "member \(name): more than \(limit) bytes once unpacked, 1000 times its size")
        }
        try spool.append(UnsafeRawBufferPointer(rebasing: buffer[..<byteCount]))
      }
      if path.isRoot { continue }
      // As every tar program does it: of two members with one name, the later one wins.
      found[path] = try self.found(
        member, at: path, number: count, content: (start, offset - start), among: &found, archive)
    }
    return named(found)
  }

  private func found(
    _ member: ArchiveMember, at path: ImagePath, number: Int,
    content: (offset: Int64, size: Int64), among found: inout [ImagePath: Found],
    _ archive: FilePath
  ) throws -> Found {
    var planned = try planned(path, member, in: archive)
    switch member.header.kind {
    case .file(let announced):
      guard content.size == announced else {
        throw hostile(
          archive,
          "member \(ImagePath.escaped(member.header.path).quoted): expected \(announced) bytes, got \(content.size)"
        )
      }
      planned.content = .slice(spool, offset: content.offset)
    case .hardlink(let target):
      guard var linked = found[try place(target, in: archive)] else { break }
      linked.entry.path = path
      // cpio keeps a file's bytes with the last of its names.
      if content.size > 0 {
        linked.entry.kind = .file(size: content.size)
        linked.entry.content = .slice(spool, offset: content.offset)
        for other in found.keys where found[other]?.file == linked.file {
          found[other]?.entry.kind = linked.entry.kind
          found[other]?.entry.content = linked.entry.content
        }
      }
      return linked
    default: break
    }
    return Found(entry: planned, file: number)
  }

  /// Of all names of one file the first carries it, the others become links to that one.
  private func named(_ found: [ImagePath: Found]) -> [PlannedEntry] {
    var first: [Int: ImagePath] = [:]
    for (path, found) in found { first[found.file] = min(first[found.file] ?? path, path) }
    return found.map { path, found in
      var entry = found.entry
      if let name = first[found.file], name != path, case .file = entry.kind {
        entry.kind = .hardlink(target: name.bytes)
        entry.content = .none
      }
      return entry
    }
  }

  private func planned(
    _ path: ImagePath, _ member: ArchiveMember, in archive: FilePath
  ) throws -> PlannedEntry {
    let header = member.header
    let name = ImagePath.escaped(header.path)
    if let type = member.unsupportedType {
      throw AssemblyError.unsupportedKind(
        "\(archive.string)/\(name)", found: type, origin: entry.location.description)
    }
    let owner = entry.attributes.owner ?? Owner(uid: header.uid, gid: header.gid)
    let ids = 0...LayerFormat.maximumID
    guard ids.contains(owner.uid), ids.contains(owner.gid) else {
      throw hostile(
        archive,
        "member \(name.quoted): expected owner numbers up to \(LayerFormat.maximumID), got \(owner.uid):\(owner.gid)"
      )
    }
    var kind = header.kind
    var mode = header.mode
    switch kind {
    case .file: mode = entry.attributes.mode ?? header.mode
    case .symlink: mode = 0o777
    case .hardlink(let target): kind = .hardlink(target: try place(target, in: archive).bytes)
    case .characterDevice(let major, let minor), .blockDevice(let major, let minor):
      guard max(major, minor) <= LayerFormat.maximumDeviceNumber else {
        throw hostile(
          archive,
          "member \(name.quoted): expected device numbers up to \(LayerFormat.maximumDeviceNumber), got \(major):\(minor)"
        )
      }
    default: break
    }
    var seen = Set<[UInt8]>()
    let xattrs = member.xattrs.map(ExtendedAttribute.init).filter {
      // bsdtar stores each attribute twice, in its own form and in the common one.
      $0.isAllowed && seen.insert($0.name).inserted
    }
    return PlannedEntry(
      path: path, kind: kind, mode: mode, owner: owner, mtime: entry.attributes.mtime ?? epoch,
      xattrs: xattrs.map(\.normalized), content: .none, origin: entry.location.description)
  }

  private func place(_ name: [UInt8], in archive: FilePath) throws -> ImagePath {
    do { return entry.path.appending(try ImagePath(archived: name)) } catch {
      throw hostile(archive, error.description)
    }
  }

  private func hostile(_ archive: FilePath, _ problem: String) -> AssemblyError {
    .hostileMember(
      archive: archive.string, problem: problem, origin: entry.location.description)
  }
}

extension ExtendedAttribute {
  /// Layer format v1, §2.3: labels of the host's security modules and ACLs stay out of images.
  var isAllowed: Bool {
    name == Array("security.capability".utf8) || name.starts(with: Array("user.".utf8))
  }

  /// `security.capability` as the 20 bytes of revision 2: revision 3 carries the root of some user namespace.
  var normalized: ExtendedAttribute {
    guard name == Array("security.capability".utf8), value.count == 24, value[3] == 0x03 else {
      return self
    }
    var revision2 = Array(value.prefix(20))
    revision2[3] = 0x02
    return ExtendedAttribute(name: name, value: revision2)
  }
}
