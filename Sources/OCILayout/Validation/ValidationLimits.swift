/// What a validator reads at most; more is a violation. The numbers are registry.md F.1.
package struct ValidationLimits: Sendable {
  /// Bytes of a manifest, an index or a config.
  package var documentSize = BlobStore.maximumDocumentSize
  /// Indexes within indexes.
  package var indexDepth = 8
  /// Bytes of a layer after decompression: at most this many…
  package var layerSize: Int64 = 64 << 30
  /// …and at most this many times the compressed bytes…
  package var expansion: Int64 = 1_000
  /// …beyond the first of this many.
  package var freeExpansion: Int64 = 64 << 20
  package var entryCount = LayerReader.maximumEntryCount
  /// Violations of one layer that are told one by one.
  package var violationsPerLayer = 1_000

  package init() {}

  func layerSize(compressed byteCount: Int64) -> Int64 {
    let (product, overflow) = byteCount.multipliedReportingOverflow(by: expansion)
    return overflow ? layerSize : min(layerSize, product.addingClamped(freeExpansion))
  }
}

extension Int64 {
  fileprivate func addingClamped(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
