internal import COpenSSL
package import OCISpec

/// A running SHA-256 (OpenSSL's EVP). Feed it, then take the digest once.
package struct SHA256: ~Copyable {
  private let context: OpaquePointer

  package init() throws(LibraryError) { context = try Self.startedContext() }

  private static func startedContext() throws(LibraryError) -> OpaquePointer {
    guard let context = EVP_MD_CTX_new() else { throw failure("EVP_MD_CTX_new") }
    guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
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
    var bytes = [UInt8](repeating: 0, count: 32)
    guard EVP_DigestFinal_ex(context, &bytes, nil) == 1 else {
      throw Self.failure("EVP_DigestFinal_ex")
    }
    return Digest(.sha256, bytes: bytes)
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
  /// The SHA-256 of bytes at hand.
  package static func sha256(of bytes: [UInt8]) throws(LibraryError) -> Digest {
    var hash = try SHA256()
    try hash.update(bytes)
    return try hash.finalize()
  }
}
