import Bindings
import OCISpec

/// The form in which listings are kept, of this program's own and never exchanged. Numbers are LEB128, signed
/// ones zigzag; names and the like are a length and bytes; of a path only what differs from the one before.
///
///     "ociforge listing 1\n", digest and size of the layer, DiffID, number of members
///     each member: kind, bytes shared with the path before, rest of the path,
///                  mode, uid, gid, mtime, what the kind has, number of xattrs, their names and values
///     SHA-256 of all that
extension LayerListing {
  static let magic = Array("ociforge listing 1\n".utf8)
  static let trailerByteCount = 32

  func encoded(for layer: Descriptor) throws -> [UInt8] {
    var out = ListingWriter()
    out.bytes.reserveCapacity(members.count * 48 + 256)
    out.bytes += Self.magic
    out.put(Array(layer.digest.description.utf8))
    out.put(signed: layer.size)
    out.put(Array(diffID.description.utf8))
    out.put(UInt64(members.count))
    var before: [UInt8] = []
    for member in members {
      out.put(member, after: before)
      before = member.path.bytes
    }
    return out.bytes + (try Digest.sha256(of: out.bytes)).rawBytes
  }
}

extension Digest {
  /// The hash itself.
  fileprivate var rawBytes: [UInt8] {
    let digits = hex.utf8.map { $0 - ($0 < 0x3A ? 0x30 : 0x57) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}

/// What tells one kind of entry from the other in a listing's file.
enum ListingKind: UInt8 {
  case file, directory, symlink, hardlink, characterDevice, blockDevice, fifo
}

private struct ListingWriter {
  var bytes: [UInt8] = []

  mutating func put(_ number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func put(signed number: Int64) {
    put(UInt64(bitPattern: number << 1 ^ number >> 63))
  }

  mutating func put(_ text: some Collection<UInt8>) {
    put(UInt64(text.count))
    bytes += text
  }

  mutating func put(_ member: LayerMember, after before: [UInt8]) {
    let path = member.path.bytes, header = member.header
    var shared = 0
    while shared < min(path.count, before.count) && path[shared] == before[shared] { shared += 1 }
    bytes.append(header.kind.code.rawValue)
    put(UInt64(shared))
    put(path[shared...])
    put(UInt64(header.mode))
    put(signed: header.uid)
    put(signed: header.gid)
    put(signed: header.mtime)
    switch header.kind {
    case .file(let size): put(signed: size)
    case .symlink(let target), .hardlink(let target): put(target)
    case .characterDevice(let major, let minor), .blockDevice(let major, let minor):
      put(UInt64(major))
      put(UInt64(minor))
    case .directory, .fifo: break
    }
    put(UInt64(member.xattrs.count))
    for xattr in member.xattrs {
      put(xattr.name)
      put(xattr.value)
    }
  }
}

extension TarHeader.Kind {
  fileprivate var code: ListingKind {
    switch self {
    case .file: .file
    case .directory: .directory
    case .symlink: .symlink
    case .hardlink: .hardlink
    case .characterDevice: .characterDevice
    case .blockDevice: .blockDevice
    case .fifo: .fifo
    }
  }
}
