import Bindings
import OCISpec

extension ImageValidator {
  /// The content of a layer whose blob is sound: compression, end of stream, size, entries.
  /// - Returns: its DiffID, where all of it can be decompressed.
  mutating func checkLayer(
    _ layer: Descriptor, algorithm: Digest.Algorithm, subject: String
  ) throws -> DiffID? {
    let path = store.path(of: layer.digest)
    let limit = limits.layerSize(compressed: layer.size)
    let decompressed = try attempt(subject, "layer.md: compression") {
      try Decompressed(DecompressingReader(path: path), limit: limit, algorithm)
    }
    guard let decompressed else { return nil }
    let compression = decompressed.compression
    if compression != layer.mediaType.compression {
      report(
        subject, "media-types.md: layers",
        expected: "compression \(layer.mediaType.compression) as \(layer.mediaType) says",
        found: compression)
    }
    if let byteCount = decompressed.compressedByteCount, byteCount < layer.size {
      report(
        subject, "layer.md: compression", expected: "nothing behind the \(compression) stream",
        found: "\(layer.size - byteCount) bytes")
    }
    guard let digest = decompressed.digest else {
      report(
        subject, "limit of ociforge",
        expected: "at most \(limit) bytes after decompression",
        found: "more")
      return nil
    }
    if decompressed.byteCount > 0 { try checkEntries(of: layer, subject: subject) }
    return DiffID(digest)
  }

  private struct Decompressed {
    let compression: String
    let compressedByteCount: Int64?
    let byteCount: Int64
    /// `nil` where there is more than the limit.
    let digest: Digest?

    init(_ reader: DecompressingReader, limit: Int64, _ algorithm: Digest.Algorithm) throws {
      var byteCount: Int64 = 0
      let digest = try ImageValidator.digest(algorithm) { buffer in
        let count = try reader.read(into: buffer)
        byteCount += Int64(count)
        return byteCount <= limit ? count : 0
      }
      let isWhole = byteCount <= limit
      compression = reader.compression
      compressedByteCount = isWhole ? reader.compressedByteCount : nil
      self.byteCount = byteCount
      self.digest = isWhole ? digest : nil
    }
  }

  private mutating func checkEntries(of layer: Descriptor, subject: String) throws {
    var rules = LayerRules(subject: subject, maximumViolationCount: limits.violationsPerLayer)
    let count = try attempt(subject, "layer.md: tar") { [store, limits] in
      let reader = try ArchiveReader(path: store.path(of: layer.digest), format: .tar)
      var count = 0
      while count <= limits.entryCount, let member = try reader.next() {
        rules.check(member)
        count += 1
      }
      return count
    }
    if let count, count > limits.entryCount {
      report(
        subject, "limit of ociforge", expected: "at most \(limits.entryCount) entries",
        found: "more")
    }
    rules.finish().forEach { report($0) }
  }
}

extension MediaType {
  /// The compression that a layer's media type promises, as ``DecompressingReader`` names it.
  fileprivate var compression: String {
    if rawValue.hasSuffix("gzip") { return "gzip" }
    return rawValue.hasSuffix("zstd") ? "zstd" : "none"
  }
}
