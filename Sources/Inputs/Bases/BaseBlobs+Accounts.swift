import Bindings
import OCILayout
import OCISpec
import Workers

extension BaseBlobs {
  /// What accounts are added to: as much of `/etc/passwd` and `/etc/group` as the base has, symlinks followed
  /// inside it. Only the layers that hold them are read.
  ///
  /// - Throws: ``BaseError/accountsFileTooLarge(_:size:limit:)``.
  func accountFiles(
    of layers: [ResolvedBase.Layer], from source: BaseLayerSource
  ) async throws -> [ImagePath: [UInt8]] {
    let store = if case .store(let store) = source { store } else { cache }
    let image = try await withBlockingWork {
      try ImageFilesystem(
        store: store, layers: layers.map { (descriptor: $0.descriptor, listing: $0.listing) })
    }
    var files: [ImagePath: [UInt8]] = [:]
    for path in [try ImagePath(absolute: "/etc/passwd"), try ImagePath(absolute: "/etc/group")] {
      guard let entry = try Self.entry(at: path, of: image), let origin = entry.origin else {
        continue
      }
      if case .file(let size) = entry.header.kind, size > Self.maximumAccountsByteCount {
        throw BaseError.accountsFileTooLarge(
          path, size: size, limit: Self.maximumAccountsByteCount)
      }
      let layer = layers[origin.layer].descriptor
      files[path] = try await withBlob(of: layer, from: source) { store in
        try store.check(layer)
        var bytes: [UInt8] = []
        try image.cat(path.description) { bytes += $0 }
        return bytes
      }
    }
    return files
  }

  private static let maximumAccountsByteCount: Int64 = 1 << 20

  private static func entry(
    at path: ImagePath, of image: ImageFilesystem
  ) throws -> ImageFilesystem.Entry? {
    do { return try image.lookup(path.description) } catch {
      if case ImageFilesystemError.notFound = error { return nil }
      throw error
    }
  }
}
