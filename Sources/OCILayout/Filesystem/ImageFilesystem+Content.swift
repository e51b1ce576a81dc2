package import Bindings
import OCISpec

extension ImageFilesystem {
  /// Streams one file's content to `sink` in constant memory; symlinks are followed.
  package func cat(_ path: String, to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    let entry = try lookup(path)
    guard case .file = entry.header.kind, let origin = entry.origin else {
      throw ImageFilesystemError.notFile(entry.path, found: entry.kindText)
    }
    let reader = try LayerReader(store: store, layer: layers[origin.layer])
    while let member = try reader.next() {
      guard member.ordinal == origin.ordinal else { continue }
      return try copy(entry, from: reader, to: sink)
    }
    throw ImageFilesystemError.changedContent(entry.path, expected: entry.byteCount, found: 0)
  }

  /// Writes the merged tree as one tar after layer format v1, in constant memory and reading each layer once,
  /// so not sorted as a layer is: first the files as the layers have them, then symlinks, devices and fifos in
  /// order, then the other names of files as hardlinks, last the directories, the deepest first. The root
  /// itself is left out, and times before 1970 become 1970.
  package func export(to sink: @escaping TarStream.Sink) throws {
    let tar = try TarStream(sink: sink)
    var firstNames: [Origin: Entry] = [:]
    // GNU tar settles a directory's mode and time as soon as a member lies elsewhere: what came after it would
    // change the time, and could not be written into one that is read-only.
    var directories: [Entry] = []
    var others: [Entry] = [], hardlinks: [(entry: Entry, target: Entry)] = []
    for entry in entries.dropFirst() {
      guard entry.header.kind != .directory, let origin = entry.origin else {
        directories.append(entry)
        continue
      }
      if let first = firstNames[origin] {
        hardlinks.append((entry, first))
        continue
      }
      firstNames[origin] = entry
      if case .file = entry.header.kind {} else { others.append(entry) }
    }
    for (index, layer) in layers.enumerated() {
      let reader = try LayerReader(store: store, layer: layer)
      while let member = try reader.next() {
        let origin = Origin(layer: index, ordinal: member.ordinal)
        guard let entry = firstNames[origin], case .file = entry.header.kind else { continue }
        try tar.add(entry.exportedHeader, xattrs: entry.xattrs)
        try copy(entry, from: reader, to: tar.write)
        try tar.finishEntry()
      }
    }
    for entry in others { try tar.addWhole(entry) }
    for (entry, target) in hardlinks {
      var header = entry.exportedHeader
      header.kind = .hardlink(target: target.path.bytes)
      try tar.add(header)
      try tar.finishEntry()
    }
    for entry in directories.reversed() { try tar.addWhole(entry) }
    try tar.close()
  }

  private static let bufferByteCount = 1 << 17

  /// The content of the reader's current member, which must have as many bytes as the listing says.
  private func copy(
    _ entry: Entry, from reader: LayerReader, to sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Self.bufferByteCount, alignment: 16)
    defer { buffer.deallocate() }
    var total: Int64 = 0
    while true {
      let count = try reader.read(into: buffer)
      if count == 0 { break }
      total += Int64(count)
      guard total <= entry.byteCount else { break }
      try sink(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
    guard total == entry.byteCount else {
      throw ImageFilesystemError.changedContent(
        entry.path, expected: entry.byteCount, found: total)
    }
  }
}

extension ImageFilesystem.Entry {
  fileprivate var byteCount: Int64 {
    if case .file(let size) = header.kind { size } else { 0 }
  }

  /// The header under this entry's own name, within what a tar can say.
  fileprivate var exportedHeader: TarHeader {
    var header = header
    header.path = path.bytes
    header.mtime = min(max(0, header.mtime), (1 << 33) - 1)
    return header
  }
}

extension TarStream {
  /// Adds an entry that has no content.
  fileprivate func addWhole(_ entry: ImageFilesystem.Entry) throws {
    try add(entry.exportedHeader, xattrs: entry.xattrs)
    try finishEntry()
  }
}
