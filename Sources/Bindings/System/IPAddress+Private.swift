extension IPAddress {
  /// Whether the address belongs to a network that is not the internet: RFC 1918, RFC 4193.
  package var isPrivate: Bool {
    if bytes.count == 16 { return bytes[0] & 0xFE == 0xFC }
    return bytes[0] == 10 || (bytes[0] == 172 && bytes[1] & 0xF0 == 16)
      || (bytes[0] == 192 && bytes[1] == 168)
  }
}
