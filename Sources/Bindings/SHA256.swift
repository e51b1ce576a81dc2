package import OCISpec

/// A running SHA-256. Feed it, then take the digest once.
package struct SHA256: ~Copyable {
  private var digest: MessageDigest

  package init() throws(LibraryError) { digest = try MessageDigest(.sha256) }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) throws(LibraryError) {
    try digest.update(bytes)
  }

  package mutating func update(_ bytes: [UInt8]) throws(LibraryError) {
    // A typed rethrow: withUnsafeBytes infers an untyped one.
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(LibraryError) in try digest.update(bytes) }
    }
    try result.get()
  }

  package consuming func finalize() throws(LibraryError) -> Digest { try digest.finalize() }
}

extension Digest {
  /// The SHA-256 of bytes at hand.
  package static func sha256(of bytes: [UInt8]) throws(LibraryError) -> Digest {
    var hash = try SHA256()
    try hash.update(bytes)
    return try hash.finalize()
  }
}
