import Bindings
import OCISpec

extension LayerListing {
  /// Reads what ``encoded(for:)`` made for this layer; `nil` for everything else, were it one bit off.
  init?(_ bytes: [UInt8], for layer: Descriptor) {
    let count = bytes.count - Self.trailerByteCount
    guard count > 0, bytes.starts(with: Self.magic),
      let found = try? bytes.withUnsafeBytes({ bytes in
        var hash = try MessageDigest(.sha256)
        try hash.update(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        return try hash.finalize()
      }), found == Digest(.sha256, bytes: bytes[count...])
    else { return nil }
    let listing = bytes.withUnsafeBufferPointer { bytes -> LayerListing? in
      var reader = ListingReader(rest: bytes[Self.magic.count..<count])
      return try? reader.listing(for: layer)
    }
    guard let listing else { return nil }
    self = listing
  }
}

/// Reads a listing's file front to back. No length in it is believed before that many bytes are there.
private struct ListingReader {
  struct Malformed: Error {}

  var rest: Slice<UnsafeBufferPointer<UInt8>>

  mutating func listing(for layer: Descriptor) throws -> LayerListing {
    guard try text() == layer.digest.description, try signed() == layer.size else {
      throw Malformed()
    }
    let diffID = try DiffID(parsing: text())
    let count = try length()
    var members: [LayerMember] = []
    members.reserveCapacity(count)
    var path: [UInt8] = []
    for ordinal in 0..<count {
      members.append(try member(ordinal, &path, of: layer.digest))
    }
    guard rest.isEmpty else { throw Malformed() }
    return LayerListing(diffID: diffID, members: members)
  }

  private mutating func member(
    _ ordinal: Int, _ path: inout [UInt8], of layer: Digest
  ) throws -> LayerMember {
    guard let kind = ListingKind(rawValue: try byte()) else { throw Malformed() }
    let shared = try number()
    guard shared <= path.count else { throw Malformed() }
    let tail = try slice()
    path.removeLast(path.count - Int(shared))
    path += tail
    let imagePath = path.isEmpty ? ImagePath.root : try ImagePath(archived: path)
    let mode = try number32()
    guard mode <= 0o7777 else { throw Malformed() }
    let uid = try signed(), gid = try signed(), mtime = try signed()
    let header = TarHeader(
      path: imagePath.bytes, kind: try self.kind(kind), mode: mode, uid: uid, gid: gid, mtime: mtime
    )
    var xattrs: [(name: [UInt8], value: [UInt8])] = []
    for _ in 0..<(try length()) { xattrs.append((Array(try slice()), Array(try slice()))) }
    return LayerMember(
      path: imagePath, header: header, xattrs: xattrs, ordinal: ordinal,
      whiteout: try LayerMember.Whiteout(at: imagePath, of: layer))
  }

  private mutating func kind(_ kind: ListingKind) throws -> TarHeader.Kind {
    switch kind {
    case .file: .file(size: try signed())
    case .directory: .directory
    case .symlink: .symlink(target: Array(try slice()))
    case .hardlink: .hardlink(target: Array(try slice()))
    case .characterDevice: .characterDevice(major: try number32(), minor: try number32())
    case .blockDevice: .blockDevice(major: try number32(), minor: try number32())
    case .fifo: .fifo
    }
  }

  private mutating func byte() throws -> UInt8 {
    guard let byte = rest.popFirst() else { throw Malformed() }
    return byte
  }

  private mutating func number() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      let byte = try byte()
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw Malformed()
  }

  private mutating func number32() throws -> UInt32 {
    guard let value = UInt32(exactly: try number()) else { throw Malformed() }
    return value
  }

  private mutating func signed() throws -> Int64 {
    let value = try number()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// A number of things that have at least a byte each.
  private mutating func length() throws -> Int {
    let value = try number()
    guard value <= UInt64(rest.count) else { throw Malformed() }
    return Int(value)
  }

  private mutating func slice() throws -> Slice<UnsafeBufferPointer<UInt8>> {
    let count = try length()
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  private mutating func text() throws -> String { String(decoding: try slice(), as: UTF8.self) }
}
