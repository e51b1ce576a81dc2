import Bindings
import Definition
package import OCILayout
package import OCISpec
package import Reporting
import SystemPackage

/// A layer that lies in a store.
package struct PackedLayer: Sendable {
  package let name: String
  package let descriptor: Descriptor
  package let diffID: DiffID
}

/// Packs planned layers: tar → DiffID and compressor → digest and blob, in one pass and constant memory.
package struct LayerWriter: Sendable {
  private let format: LayerFormat
  private let store: BlobStore
  private let reporter: Reporter

  package init(format: LayerFormat, store: BlobStore, reporter: Reporter) {
    self.format = format
    self.store = store
    self.reporter = reporter
  }

  /// Bytes that are read from a file at once.
  private static let bufferSize = 1 << 18

  /// Writes the layer's blob. It appears in the store complete, or not at all. Blocks its thread.
  ///
  /// - Parameter label: what progress calls it.
  package func pack(_ plan: LayerPlan, label: String) throws -> PackedLayer {
    let blob = try store.ingest()
    let encoder = try LayerEncoder(format) { try blob.write($0) }
    let hash = RunningHash(try MessageDigest(.sha256))
    let tar = try TarStream { bytes in
      try hash.update(bytes)
      try encoder.write(bytes)
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferSize, alignment: 4096)
    defer { buffer.deallocate() }
    var progress = Progress(label: label, total: plan.byteCount, reporter: reporter)
    for entry in plan.entries {
      try tar.add(entry.header, xattrs: entry.xattrs.map { ($0.name, $0.value) })
      if case .file(let size) = entry.kind {
        try writeContent(of: entry, size: size, to: tar, through: buffer, &progress)
      }
      try tar.finishEntry()
    }
    try tar.close()
    try encoder.finish()
    let diffID = DiffID(try hash.finalize())
    let (digest, size) = try blob.commit()
    reporter.report(
      .finished(
        item: label,
        outcome: "\(readable(byteCount: plan.byteCount)) → \(readable(byteCount: size))"))
    return PackedLayer(
      name: plan.name,
      descriptor: Descriptor(mediaType: format.mediaType, digest: digest, size: size),
      diffID: diffID)
  }

  private func writeContent(
    of entry: PlannedEntry, size: Int64, to tar: TarStream,
    through buffer: UnsafeMutableRawBufferPointer, _ progress: inout Progress
  ) throws {
    switch entry.content {
    case .none: break
    case .bytes(let bytes): try bytes.withUnsafeBytes { try tar.write($0) }
    case .file(let path):
      let file = try FileSystem.open(path, .readOnly, doing: "reading")
      defer { try? file.close() }
      let before = try FileSystem.status(of: file, path: path)
      guard before.size == size, before.kind == .file else {
        throw AssemblyError.changedWhileReading(path.string)
      }
      try copy(size: size, to: tar, through: buffer, &progress, name: path.string) { buffer, _ in
        try FileSystem.read(file, into: buffer, path: path)
      }
      // What lies in /proc and the like says size 0 and has content all the same.
      let isAtEnd = try FileSystem.read(file, into: buffer, path: path) == 0
      guard isAtEnd, try FileSystem.status(of: file, path: path) == before else {
        throw AssemblyError.changedWhileReading(path.string)
      }
    case .slice(let spool, let offset):
      try copy(size: size, to: tar, through: buffer, &progress, name: spool.path.string) {
        try spool.read(at: offset + $1, into: $0)
      }
    }
  }

  /// Copies exactly `size` bytes; a source that ends before or goes on behind is an error.
  private func copy(
    size: Int64, to tar: TarStream, through buffer: UnsafeMutableRawBufferPointer,
    _ progress: inout Progress, name: String,
    read: (UnsafeMutableRawBufferPointer, _ done: Int64) throws -> Int
  ) throws {
    var done: Int64 = 0
    while done < size {
      let space = UnsafeMutableRawBufferPointer(
        rebasing: buffer.prefix(Int(min(Int64(buffer.count), size - done))))
      let count = try read(space, done)
      guard count > 0 else { throw AssemblyError.changedWhileReading(name) }
      try tar.write(UnsafeRawBufferPointer(rebasing: space[..<count]))
      done += Int64(count)
      progress.advance(by: Int64(count))
    }
  }
}

extension LayerPlan {
  /// The bytes of all files in the layer.
  package var byteCount: Int64 {
    entries.reduce(0) { sum, entry in
      if case .file(let size) = entry.kind { sum + size } else { sum }
    }
  }
}

/// A hash that a closure feeds and its owner finishes. A class, because both hold it.
private final class RunningHash {
  private var hash: MessageDigest?

  init(_ hash: consuming MessageDigest) { self.hash = consume hash }

  func update(_ bytes: UnsafeRawBufferPointer) throws { try hash?.update(bytes) }

  func finalize() throws -> Digest {
    guard let digest = try hash.take()?.finalize() else {
      preconditionFailure("a hash is finished once")
    }
    return digest
  }
}

/// Tells how far a layer is, at most once for every four mebibytes.
private struct Progress {
  let label: String
  let total: Int64
  let reporter: Reporter
  private var done: Int64 = 0
  private var reported: Int64 = 0

  init(label: String, total: Int64, reporter: Reporter) {
    self.label = label
    self.total = total
    self.reporter = reporter
    reporter.report(.progress(item: label, done: 0, total: total))
  }

  mutating func advance(by count: Int64) {
    done += count
    guard done - reported >= 4 << 20 else { return }
    reported = done
    reporter.report(.progress(item: label, done: done, total: total))
  }
}
