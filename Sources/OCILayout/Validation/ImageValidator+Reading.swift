import Bindings
import OCISpec
import Reporting
import SystemPackage

extension ImageValidator {
  /// What `body` returns; where the image is at fault, that is reported and the answer is `nil`.
  mutating func attempt<R>(_ subject: String, _ rule: String, _ body: () throws -> R) throws -> R? {
    do { return try body() } catch let failure as any Failure {
      guard [.data, .notFound, .cannotRead].contains(failure.kind) else { throw failure }
      report(Violation(subject: subject, rule: rule, text: "cannot be read: \(failure)"))
      return nil
    }
  }

  /// The JSON in a file, where it is one and within the limit.
  mutating func json(at path: FilePath, subject: String) throws -> JSON? {
    if let size = try FileSystem.status(of: path)?.size, size > limits.documentSize {
      report(
        subject, "limit of ociforge", expected: "at most \(limits.documentSize) bytes",
        found: "\(size)")
      return nil
    }
    return try attempt(subject, "considerations.md: JSON") { [limits] in
      try JSON(parsing: FileSystem.readAll(path, limit: limits.documentSize))
    }
  }

  static func digest(of bytes: [UInt8], algorithm: Digest.Algorithm) throws -> Digest {
    var hash = try MessageDigest(algorithm)
    try bytes.withUnsafeBytes { try hash.update($0) }
    return try hash.finalize()
  }

  /// The digest of everything that `read` gives, until it gives nothing.
  static func digest(
    _ algorithm: Digest.Algorithm, of read: (UnsafeMutableRawBufferPointer) throws -> Int
  ) throws -> Digest {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
    defer { buffer.deallocate() }
    var hash = try MessageDigest(algorithm)
    while true {
      let count = try read(buffer)
      if count == 0 { return try hash.finalize() }
      try hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}
