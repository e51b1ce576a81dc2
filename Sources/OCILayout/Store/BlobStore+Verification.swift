import Bindings
package import OCISpec
import SystemPackage

/// Blobs never change, but files do: by other tools, by failing disks, by whoever made the layout.
extension BlobStore {
  /// Whether a blob is here whose content is what its name says; all of it is read, in constant memory.
  package func verify(_ digest: Digest) throws -> Bool {
    try contentDigest(of: digest) == digest
  }

  /// Reads the whole blob and holds it against its descriptor.
  ///
  /// - Throws: ``LayoutError/missingBlob``, ``LayoutError/sizeMismatch``, ``LayoutError/corruptBlob``.
  package func check(_ descriptor: Descriptor) throws {
    try checkSize(descriptor)
    guard let found = try contentDigest(of: descriptor.digest) else {
      throw LayoutError.missingBlob(descriptor.digest, layout: root.string)
    }
    guard found == descriptor.digest else {
      throw LayoutError.corruptBlob(
        path(of: descriptor.digest).string, expected: descriptor.digest, found: found)
    }
  }

  func checkSize(_ descriptor: Descriptor) throws {
    guard let size = try size(of: descriptor.digest) else {
      throw LayoutError.missingBlob(descriptor.digest, layout: root.string)
    }
    guard size == descriptor.size else {
      throw LayoutError.sizeMismatch(descriptor.digest, expected: descriptor.size, found: size)
    }
  }

  /// The digest of what the file with this name holds, by the same algorithm; `nil` where it is not here.
  /// All of it is read.
  package func contentDigest(of digest: Digest) throws -> Digest? {
    guard try size(of: digest) != nil else { return nil }
    let path = path(of: digest)
    let file = try FileSystem.open(path, .readOnly, doing: "reading")
    defer { try? file.close() }
    return try ImageValidator.digest(digest.algorithm) {
      try FileSystem.read(file, into: $0, path: path)
    }
  }
}
