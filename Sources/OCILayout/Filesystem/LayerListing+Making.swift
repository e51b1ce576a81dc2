import Bindings
package import OCISpec

extension LayerListing {
  /// What the names, link targets and extended attributes of one layer may have together: a listing is held in
  /// memory.
  static let maximumNameByteCount = 256 << 20

  /// Lists a layer whose blob is in `store`: once hashed against its descriptor, then unpacked once to its very
  /// end, for the DiffID and the entries together.
  ///
  /// - Parameter algorithm: the DiffID's.
  /// - Throws: ``LayoutError/missingBlob``, ``LayoutError/sizeMismatch`` and ``LayoutError/corruptBlob`` before
  ///   anything of the blob is believed; ``LayerError``; a `LibraryError` for what is no tar, or more than `limits`.
  package static func make(
    _ layer: Descriptor, from store: BlobStore, hashing algorithm: Digest.Algorithm = .sha256,
    limits: ValidationLimits = ValidationLimits()
  ) throws -> LayerListing {
    try store.check(layer)
    let reader = try LayerReader(store: store, layer: layer, hashing: algorithm, limits: limits)
    var members: [LayerMember] = []
    var byteCount = 0
    while let member = try reader.next() {
      byteCount += member.nameByteCount
      guard byteCount <= maximumNameByteCount else {
        throw LayerError.tooManyNames(layer: layer.digest, limit: maximumNameByteCount)
      }
      members.append(member)
    }
    guard let diffID = reader.diffID else {
      preconditionFailure("a layer that is hashed and was read to its end has a DiffID")
    }
    return LayerListing(diffID: diffID, members: members)
  }
}

extension LayerMember {
  /// Everything of it whose length the layer's maker chooses.
  fileprivate var nameByteCount: Int {
    let target =
      switch header.kind {
      case .symlink(let target), .hardlink(let target): target.count
      default: 0
      }
    return xattrs.reduce(path.bytes.count + target) { $0 + $1.name.count + $1.value.count }
  }
}
