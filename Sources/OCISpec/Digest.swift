package import Reporting

/// The digest of a blob's bytes as they are stored and sent: image-spec, descriptor.md, "Digests".
///
/// Only registered algorithms are accepted, in the one spelling the specification allows, so the text is safe
/// as part of a path or a URL.
package struct Digest: Sendable, Hashable, Comparable, CustomStringConvertible {
  package enum Algorithm: String, Sendable, CaseIterable {
    case sha256, sha512

    package var hexLength: Int { self == .sha256 ? 64 : 128 }
  }

  package let algorithm: Algorithm
  /// Lower-case hexadecimal digits.
  package let hex: String

  /// Parses `sha256:<64 hexadecimal digits>` or `sha512:<128 of them>`.
  package init(parsing text: String) throws(DigestError) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { throw DigestError.noAlgorithm(text) }
    guard let algorithm = Algorithm(rawValue: String(parts[0])) else {
      throw DigestError.unknownAlgorithm(text)
    }
    try self.init(algorithm, hex: String(parts[1]))
  }

  package init(_ algorithm: Algorithm, hex: String) throws(DigestError) {
    let isHex = hex.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }
    guard isHex, hex.utf8.count == algorithm.hexLength else {
      throw DigestError.notHexadecimal(hex, algorithm)
    }
    self.algorithm = algorithm
    self.hex = hex
  }

  /// A digest from the raw bytes of a hash.
  /// - Precondition: as many bytes as the algorithm makes.
  package init(_ algorithm: Algorithm, bytes: some Collection<UInt8>) {
    precondition(bytes.count * 2 == algorithm.hexLength, "a hash of another algorithm")
    self.algorithm = algorithm
    self.hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  package var description: String { "\(algorithm.rawValue):\(hex)" }
  package static func < (a: Self, b: Self) -> Bool { a.description < b.description }
}

/// The digest of a layer's uncompressed tar: image-spec, config.md, "Layer DiffID".
///
/// A type of its own, so that it cannot stand where the digest of the stored blob is meant.
package struct DiffID: Sendable, Hashable, CustomStringConvertible {
  package let digest: Digest

  package init(_ digest: Digest) { self.digest = digest }
  package init(parsing text: String) throws(DigestError) { digest = try Digest(parsing: text) }

  package var description: String { digest.description }
}

package enum DigestError: Failure, Equatable {
  case noAlgorithm(String)
  case unknownAlgorithm(String)
  case notHexadecimal(String, Digest.Algorithm)

  package var kind: FailureKind { .data }

  package var description: String {
    switch self {
    case .noAlgorithm(let text): "not a digest: expected \"sha256:<hex>\", got \(text.quoted)"
    case .unknownAlgorithm(let text):
      "not a digest: expected algorithm sha256 or sha512, got \(text.quoted)"
    case .notHexadecimal(let text, let algorithm):
      "not a \(algorithm.rawValue) digest: expected \(algorithm.hexLength) lower-case hexadecimal digits, got \(text.quoted)"
    }
  }
}
