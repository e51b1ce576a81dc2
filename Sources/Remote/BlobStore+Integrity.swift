import Bindings
package import OCILayout
package import OCISpec
import SystemPackage

extension BlobStore {
  /// Whether the blob is here and its bytes, all of which are read, are those that its name promises.
  package func isIntact(_ digest: Digest) throws -> Bool {
    try contentDigest(of: digest) == digest
  }

  /// What the bytes of the blob hash to, or `nil` where it is not here. Synchronous: call it within
  /// `withBlockingWork`.
  package func contentDigest(of digest: Digest) throws -> Digest? {
    guard try size(of: digest) != nil else { return nil }
    let path = path(of: digest)
    let file = try FileSystem.open(path, .readOnly, doing: "reading")
    defer { try? file.close() }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { buffer.deallocate() }
    var hash = try MessageDigest(digest.algorithm)
    while case let count = try FileSystem.read(file, into: buffer, path: path), count > 0 {
      try Task.checkCancellation()
      try hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
    return try hash.finalize()
  }
}
