import Bindings
package import OCISpec
import SystemPackage

extension BlobStore {
  /// Takes a blob over from another store, as one file with two names where their file system lets it, else as a
  /// copy. Either way the bytes are hashed, and what is here already, undamaged, stays.
  ///
  /// - Throws: ``LayoutError/missingBlob``, ``LayoutError/sizeMismatch`` or ``LayoutError/corruptBlob`` for what
  ///   is wrong with the other's; the blob is then not here.
  package func adopt(_ descriptor: Descriptor, from other: BlobStore) throws {
    guard descriptor.digest.algorithm == .sha256 else {
      throw LayoutError.unsupportedAlgorithm(descriptor.digest)
    }
    if try contains(descriptor), try verify(descriptor.digest) { return }
    if try link(descriptor, from: other) { return }
    let blob = try ingest()
    try other.stream(descriptor) { try blob.write($0) }
    _ = try blob.commit(expecting: descriptor.digest)
  }

  /// - Returns: `false` where it cannot be done, whatever the reason: a copy finds out what is wrong.
  private func link(_ descriptor: Descriptor, from other: BlobStore) throws -> Bool {
    let source = other.path(of: descriptor.digest), path = path(of: descriptor.digest)
    // A symlink would lead elsewhere, and a file that is ours alone to read would be so here, too.
    guard let status = try FileSystem.status(of: source, followSymlink: false),
      status.kind == .file, status.mode == 0o644
    else { return false }
    try other.check(descriptor)
    do {
      let file = try FileSystem.open(source, .readOnly, doing: "reading")
      defer { try? file.close() }
      try FileSystem.sync(file, path: source)
      try FileSystem.createDirectories(path.removingLastComponent())
      try FileSystem.link(source, as: path)
    } catch { return false }
    try FileSystem.syncDirectory(path.removingLastComponent())
    return true
  }
}
