/// Which part of a blob a request wants: RFC 9110, section 14.2.
enum RequestedRange: Equatable {
  case whole
  case part(Range<Int64>)
  case unsatisfiable

  /// Several ranges, other units and what is no range at all mean the whole, as the RFC allows.
  ///
  /// - Parameter header: the value of `Range`.
  init(_ header: String?, size: Int64) {
    guard let header, header.lowercased().hasPrefix("bytes=") else {
      self = .whole
      return
    }
    let sides = header.dropFirst("bytes=".count).split(
      separator: "-", omittingEmptySubsequences: false)
    guard sides.count == 2 else {
      self = .whole
      return
    }
    switch (decimal(sides[0]), decimal(sides[1])) {
    case (let first?, let last?) where first <= last:
      self = first < size ? .part(first..<min(last, size - 1) + 1) : .unsatisfiable
    case (let first?, nil) where sides[1].isEmpty:
      self = first < size ? .part(first..<size) : .unsatisfiable
    case (nil, let count?) where sides[0].isEmpty:
      self = count > 0 && size > 0 ? .part(max(0, size - count)..<size) : .unsatisfiable
    default: self = .whole
    }
  }
}

/// Which bytes of a blob a chunk is: `Content-Range` as the distribution-spec has it, `<first>-<last>`.
struct ChunkRange: Equatable {
  let first: Int64
  let count: Int64

  init(_ header: String) throws(RegistryError) {
    let sides = header.split(separator: "-", omittingEmptySubsequences: false)
    guard sides.count == 2, let first = decimal(sides[0]), let last = decimal(sides[1]),
      first <= last
    else { throw .contentRangeInvalid(header) }
    self.first = first
    count = last - first + 1
  }
}

/// A number below 2^62, so that sums stay in range.
private func decimal(_ text: Substring) -> Int64? {
  guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
    let value = Int64(text), value < 1 << 62
  else { return nil }
  return value
}
