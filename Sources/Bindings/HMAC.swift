internal import COpenSSL

/// Keyed hashes (RFC 2104) by OpenSSL.
package enum HMAC {
  /// The 32 bytes of HMAC-SHA-256.
  package static func sha256(
    key: [UInt8], _ message: [UInt8]
  ) throws(LibraryError) -> [UInt8] {
    var out = [UInt8](repeating: 0, count: 32)
    var count = 0
    let result = EVP_Q_mac(
      nil, "HMAC", nil, "SHA256", nil, key, key.count, message, message.count, &out, out.count,
      &count)
    guard result != nil, count == out.count else {
      throw LibraryError("OpenSSL", "EVP_Q_mac", message: "no HMAC-SHA-256")
    }
    return out
  }
}
