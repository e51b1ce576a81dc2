import OCISpec

/// Base64 with padding (RFC 4648, section 4).
package func encodedBase64(_ bytes: some Collection<UInt8>) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var out: [UInt8] = []
  var buffer: UInt32 = 0, bitCount = 0
  for byte in bytes {
    buffer = buffer << 8 | UInt32(byte)
    bitCount += 8
    while bitCount >= 6 {
      bitCount -= 6
      out.append(alphabet[Int(buffer >> UInt32(bitCount)) & 63])
    }
  }
  if bitCount > 0 { out.append(alphabet[Int(buffer << UInt32(6 - bitCount)) & 63]) }
  while !out.count.isMultiple(of: 4) { out.append(UInt8(ascii: "=")) }
  return String(decoding: out, as: UTF8.self)
}

/// The bytes of base64 whose padding may be missing, or `nil`.
func decodedLooseBase64(_ text: String) -> [UInt8]? {
  let digits = text.utf8.count - text.utf8.reversed().prefix { $0 == UInt8(ascii: "=") }.count
  let padding = String(repeating: "=", count: (4 - digits % 4) % 4)
  return decodedBase64(String(decoding: text.utf8.prefix(digits), as: UTF8.self) + padding)
}
