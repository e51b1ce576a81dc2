internal import COpenSSL
package import OCISpec

extension Digest {
  /// The digest of bytes at hand by any algorithm that digests may name.
  package static func of(_ bytes: [UInt8], by algorithm: Algorithm) throws(LibraryError) -> Digest {
    switch algorithm {
    case .sha256: return try sha256(of: bytes)
    case .sha512:
      var hash = [UInt8](repeating: 0, count: algorithm.hexLength / 2)
      guard EVP_Digest(bytes, bytes.count, &hash, nil, EVP_sha512(), nil) == 1 else {
        throw LibraryError("OpenSSL", "EVP_Digest", message: "SHA-512 failed")
      }
      return Digest(.sha512, bytes: hash)
    }
  }
}
