/// The tar stream of layer format v1 (reproducibility.md §2.4): libarchive's `ustar` headers, data and
/// trailer, and before the few entries that ustar cannot hold a PAX `x` block encoded here, because
/// libarchive's own encoding of those changes with its version and the locale.
///
/// Bytes are sacred: what this writes decides every DiffID. Not `Sendable`: one writer.
package final class TarStream {
  package typealias Sink = ArchiveWriter.Sink

  private let archive: ArchiveWriter
  private let sink: Sink
  /// What is left of a file whose size the ustar header cannot hold; its data bypass libarchive.
  private var oversized: Int64?
  private var oversizedPadding = 0

  package init(sink: @escaping Sink) throws {
    self.sink = sink
    archive = try ArchiveWriter(sink: sink)
  }

  /// Starts an entry. A file's content follows through ``write(_:)``, then ``finishEntry()``.
  ///
  /// - Parameter xattrs: sorted by the names' bytes.
  package func add(
    _ header: TarHeader, xattrs: [(name: [UInt8], value: [UInt8])] = []
  ) throws {
    var ustar = header
    var records = xattrs.map { (key: Array("SCHILY.xattr.".utf8) + $0.name, value: $0.value) }
    func record(_ key: String, _ value: [UInt8]) { records.append((Array(key.utf8), value)) }

    let isDirectory = header.kind == .directory
    let name = header.path + (isDirectory ? [UInt8(ascii: "/")] : [])
    if !Self.fitsUstar(name: name) {
      record("path", name)
      ustar.path = Self.cut(header.path, to: isDirectory ? 99 : 100)
    }
    switch header.kind {
    case .symlink(let target) where target.count > 100:
      record("linkpath", target)
      ustar.kind = .symlink(target: Self.cut(target, to: 100))
    case .hardlink(let target) where target.count > 100:
      record("linkpath", target)
      ustar.kind = .hardlink(target: Self.cut(target, to: 100))
    case .file(let size) where size > Self.maximumUstarSize:
      record("size", Array(String(size).utf8))
      ustar.kind = .file(size: 0)
      oversized = size
      oversizedPadding = Int((512 - size % 512) % 512)
    default: break
    }
    if header.uid > Self.maximumUstarID {
      record("uid", Array(String(header.uid).utf8))
      ustar.uid = Self.maximumUstarID
    }
    if header.gid > Self.maximumUstarID {
      record("gid", Array(String(header.gid).utf8))
      ustar.gid = Self.maximumUstarID
    }
    if !records.isEmpty { try writeExtendedHeader(records) }
    try archive.writeHeader(ustar)
    if oversized != nil { try archive.finishEntry() }
  }

  /// The next bytes of the current file.
  package func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard let left = oversized else { return try archive.write(bytes) }
    guard Int64(bytes.count) <= left else {
      throw LibraryError(
        "tar", "writing a file",
        message: "\(bytes.count) bytes where the header leaves room for \(left)")
    }
    oversized = left - Int64(bytes.count)
    try sink(bytes)
  }

  /// Ends the current entry, which must have received exactly the bytes that its header announced.
  package func finishEntry() throws {
    guard let left = oversized else { return try archive.finishEntry() }
    guard left == 0 else {
      throw LibraryError("tar", "finishing a file", message: "\(left) bytes are missing")
    }
    oversized = nil
    try emit([UInt8](repeating: 0, count: oversizedPadding))
  }

  /// Writes the trailer of 1,024 zero bytes. Nothing may follow.
  package func close() throws { try archive.close() }

  // The largest values that ustar's octal fields hold.
  private static let maximumUstarSize: Int64 = 0o77777777777
  private static let maximumUstarID: Int64 = 0o777777

  /// Whether libarchive's ustar writer can store the name, in one piece or split at a slash.
  static func fitsUstar(name: [UInt8]) -> Bool {
    let slash = UInt8(ascii: "/")
    guard name.count > 100 else { return true }
    let start = name.count - 101
    guard let split = name[start...].firstIndex(of: slash) else { return false }
    let usable = split == 0 ? name[1...].firstIndex(of: slash) : split
    guard let usable else { return false }
    return usable < name.count - 1 && usable <= 155
  }

  /// The first bytes of a text, never half of a UTF-8 character.
  private static func cut(_ bytes: [UInt8], to limit: Int) -> [UInt8] {
    guard bytes.count > limit else { return bytes }
    var end = limit
    while end > 0 && bytes[end] & 0xC0 == 0x80 { end -= 1 }
    return Array(bytes[..<(end == 0 ? limit : end)])
  }

  /// An `x` block: a header with a constant name, then `length key=value\n` records sorted by their keys.
  private func writeExtendedHeader(_ records: [(key: [UInt8], value: [UInt8])]) throws {
    var body: [UInt8] = []
    for (key, value) in records.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      let content = [UInt8(ascii: " ")] + key + [UInt8(ascii: "=")] + value + [UInt8(ascii: "\n")]
      var length = content.count + 1
      while String(length).utf8.count + content.count != length {
        length = String(length).utf8.count + content.count
      }
      body += Array(String(length).utf8) + content
    }
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      block.replaceSubrange(offset..<(offset + text.utf8.count), with: text.utf8)
    }
    func octal(_ value: Int, digits: Int) -> String {
      let text = String(value, radix: 8)
      return String(repeating: "0", count: digits - text.utf8.count) + text
    }
    put("././@PaxHeader", at: 0)
    for offset in [100, 108, 116] { put(octal(0, digits: 6) + " ", at: offset) }  // mode, uid, gid
    put(octal(body.count, digits: 11) + " ", at: 124)
    put(octal(0, digits: 11) + " ", at: 136)  // mtime
    put("        ", at: 148)
    put("x", at: 156)
    put("ustar\0" + "00", at: 257)
    for offset in [329, 337] { put(octal(0, digits: 6) + " ", at: offset) }  // device numbers
    let checksum = block.reduce(0) { $0 + Int($1) }
    put(octal(checksum, digits: 6) + "\0 ", at: 148)
    try emit(block + body + [UInt8](repeating: 0, count: (512 - body.count % 512) % 512))
  }

  private func emit(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try sink($0) } }
}
