internal import Glibc

/// A literal IPv4 or IPv6 address. An IPv4 address in IPv6 clothing (`::ffff:10.0.0.1`) is the IPv4 one.
package struct IPAddress: Sendable, Hashable {
  /// 4 or 16, in network order.
  package let bytes: [UInt8]

  /// `nil` where the text is no address in the usual spelling: names, `127.1` and `0x7f.0.0.1` are not.
  package init?(_ text: String) {
    var v4 = in_addr()
    if inet_pton(AF_INET, text, &v4) == 1 {
      bytes = withUnsafeBytes(of: &v4) { Array($0) }
      return
    }
    var v6 = in6_addr()
    guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
    let all = withUnsafeBytes(of: &v6) { Array($0) }
    let isMapped = all.prefix(10).allSatisfy { $0 == 0 } && all[10] == 0xFF && all[11] == 0xFF
    bytes = isMapped ? Array(all.suffix(4)) : all
  }

  package var isLoopback: Bool {
    bytes.count == 4 ? bytes[0] == 127 : bytes == Array(repeating: 0, count: 15) + [1]
  }

  /// Whether a packet to this address stays on this machine or its link, or goes to no single machine:
  /// loopback, link-local (cloud metadata services live there), unspecified, multicast.
  package var isLocal: Bool {
    if isLoopback || bytes.allSatisfy({ $0 == 0 }) { return true }
    return bytes.count == 4
      ? (bytes[0] == 169 && bytes[1] == 254) || bytes[0] == 0 || bytes[0] >= 224
      : (bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80) || bytes[0] == 0xFF
  }
}

/// Addresses that share their first bits, such as `10.0.0.0/8`.
package struct Subnet: Sendable, Hashable {
  private let address: IPAddress
  private let bitCount: Int

  /// `nil` where the text is not `address/bits`.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPAddress(String(parts[0])), let bits = Int(parts[1]),
      (0...address.bytes.count * 8).contains(bits)
    else { return nil }
    self.address = address
    bitCount = bits
  }

  package func contains(_ other: IPAddress) -> Bool {
    guard other.bytes.count == address.bytes.count else { return false }
    return (0..<bitCount).allSatisfy { bit in
      (address.bytes[bit / 8] ^ other.bytes[bit / 8]) & (0x80 >> (bit % 8)) == 0
    }
  }
}
