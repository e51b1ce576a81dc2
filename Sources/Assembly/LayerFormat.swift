package import OCISpec

/// What decides a layer's bytes, frozen by a version: the tar rules (``Bindings/TarStream`` and ``LayerPlan``)
/// and the compressor. A change of bytes is a new version; an old one stays writable for good.
package struct LayerFormat: Sendable {
  /// `formatVersion` in a definition.
  package let version: Int
  /// The compressor's identity. Everything that decides its bytes is in it.
  package let encoder: String
  package let mediaType: MediaType

  /// Bytes of tar that are compressed by themselves.
  let chunkSize: Int
  /// A chunk shorter than this goes through zlib: libdeflate's output for short inputs changed between its
  /// versions 1.18 and 1.19, for longer ones it has been the same since 1.10.
  let shortestLibDeflateChunk: Int
  let libDeflateLevel: Int32
  let zlibLevel: Int32

  package static let v1 = LayerFormat(
    version: 1, encoder: "gzip/ld3-1m", mediaType: .layerGzip, chunkSize: 1 << 20,
    shortestLibDeflateChunk: 1 << 16, libDeflateLevel: 3, zlibLevel: 5)

  /// The largest user and group number: 2^32-1 means "nobody said" to chown(2).
  static let maximumID: Int64 = (1 << 32) - 2
  /// What six octal digits of a ustar header hold.
  static let maximumDeviceNumber: UInt32 = 0o777777

  /// What a layer's history entry says of its making. Never the tool's own version.
  func createdBy(_ layer: String) -> String { "ociforge v\(version) \(layer)" }
}
