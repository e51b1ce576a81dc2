internal import COpenSSL
package import OCISpec

/// A running hash by any algorithm that a digest may have (OpenSSL's EVP). Feed it, then take the digest
/// once.
package struct MessageDigest: ~Copyable {
  private let algorithm: Digest.Algorithm
  private let context: OpaquePointer

  package init(_ algorithm: Digest.Algorithm) throws(LibraryError) {
    self.algorithm = algorithm
    context = try Self.startedContext(algorithm)
  }

  private static func startedContext(
    _ algorithm: Digest.Algorithm
  ) throws(LibraryError) -> OpaquePointer {
    guard let context = EVP_MD_CTX_new() else { throw failure("EVP_MD_CTX_new") }
    let type = algorithm == .sha256 ? EVP_sha256() : EVP_sha512()
    guard EVP_DigestInit_ex(context, type, nil) == 1 else {
      EVP_MD_CTX_free(context)
      throw failure("EVP_DigestInit_ex")
    }
    return context
  }

  deinit { EVP_MD_CTX_free(context) }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) throws(LibraryError) {
    guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else {
      throw Self.failure("EVP_DigestUpdate")
    }
  }

  package mutating func update(_ bytes: [UInt8]) throws(LibraryError) {
    // A typed rethrow: withUnsafeBytes infers an untyped one.
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(LibraryError) in try update(bytes) }
    }
    try result.get()
  }

  package consuming func finalize() throws(LibraryError) -> Digest {
    var bytes = [UInt8](repeating: 0, count: algorithm.hexLength / 2)
    guard EVP_DigestFinal_ex(context, &bytes, nil) == 1 else {
      throw Self.failure("EVP_DigestFinal_ex")
    }
    return Digest(algorithm, bytes: bytes)
  }

  private static func failure(_ operation: String) -> LibraryError {
    var text = [CChar](repeating: 0, count: 256)
    let code = ERR_get_error()
    ERR_error_string_n(code, &text, text.count)
    let message = String(
      decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return LibraryError(
      "OpenSSL", operation, code: Int32(truncatingIfNeeded: code), message: message)
  }
}

extension Digest {
  /// The digest of bytes at hand.
  package static func of(_ bytes: [UInt8], by algorithm: Algorithm) throws(LibraryError) -> Digest {
    var hash = try MessageDigest(algorithm)
    try hash.update(bytes)
    return try hash.finalize()
  }

  package static func sha256(of bytes: [UInt8]) throws(LibraryError) -> Digest {
    try of(bytes, by: .sha256)
  }
}
