import Bindings
import Definition
import OCILayout
import OCISpec
import Reporting
import SystemPackage

/// The members of an archive as entries of a layer: their 12 mode bits, owners, symlinks and hardlinks are
/// kept, times become the epoch, names that could leave the image are refused.
struct ArchiveScan {
  let entry: LayerEntry
  let epoch: Int64
  /// Takes the files' bytes; an archive can be read only once and in its own order.
  let spool: Spool

  func entries(of archive: FilePath) throws -> [PlannedEntry] {
    let reader = try ArchiveReader(path: archive)
    var found: [ImagePath: PlannedEntry] = [:]
    var offset: Int64 = 0
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    while let member = try reader.next() {
      let name = ImagePath.escaped(member.header.path)
      if let type = member.unsupportedType {
        throw AssemblyError.unsupportedKind(
          "\(archive.string)/\(name)", found: type, origin: entry.location.description)
      }
      let path = try place(member.header.path, in: archive)
      if path.isRoot { continue }
      var planned = try self.planned(path, member, in: archive)
      if case .file(let announced) = member.header.kind {
        let start = offset
        while true {
          let count = try reader.read(into: buffer)
          if count == 0 { break }
          try spool.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
          offset += Int64(count)
        }
        guard offset - start == announced else {
          throw AssemblyError.hostileMember(
            archive: archive.string,
            problem: "member \(name.quoted): expected \(announced) bytes, got \(offset - start)",
            origin: entry.location.description)
        }
        planned.content = .slice(spool, offset: start)
      }
      // As every tar program does it: of two members with one name, the later one wins.
      found[path] = planned
    }
    return Array(found.values)
  }

  private func planned(
    _ path: ImagePath, _ member: ArchiveMember, in archive: FilePath
  ) throws -> PlannedEntry {
    let header = member.header
    var kind = header.kind
    var mode = header.mode
    switch kind {
    case .file: mode = entry.attributes.mode ?? header.mode
    case .symlink: mode = 0o777
    case .hardlink(let target): kind = .hardlink(target: try place(target, in: archive).bytes)
    default: break
    }
    return PlannedEntry(
      path: path, kind: kind, mode: mode,
      owner: entry.attributes.owner ?? Owner(uid: header.uid, gid: header.gid),
      mtime: entry.attributes.mtime ?? epoch,
      xattrs: member.xattrs.map(ExtendedAttribute.init).filter(\.isAllowed), content: .none,
      origin: entry.location.description)
  }

  private func place(_ name: [UInt8], in archive: FilePath) throws -> ImagePath {
    do { return entry.path.appending(try ImagePath(archived: name)) } catch {
      throw AssemblyError.hostileMember(
        archive: archive.string, problem: error.description,
        origin: entry.location.description)
    }
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
