import Bindings
package import OCISpec
import Reporting
package import SystemPackage

/// An image layout on disk: image-spec, image-layout.md. Blobs come in through ``store``; ``update(_:)`` of
/// `index.json` is the commit that makes them an image.
///
/// Several processes may read and write one layout. The file `oci-layout` is their lock; it is written once
/// and never replaced.
package struct ImageLayout: Sendable {
  package let store: BlobStore

  package var path: FilePath { store.root }
  private var indexPath: FilePath { path.appending("index.json") }
  private var markerPath: FilePath { path.appending("oci-layout") }

  private init(_ path: FilePath) { store = BlobStore(root: path) }

  /// The blobs of a store without any `index.json`, as the cache is one: for what a known descriptor leads to. There
  /// are no tags, and nothing can be tagged.
  package init(blobsOf store: BlobStore) { self.store = store }

  /// Opens a layout that is there, for reading. Nothing is written.
  package static func open(_ path: FilePath) throws -> ImageLayout {
    let layout = ImageLayout(path)
    guard let status = try FileSystem.status(of: path) else {
      throw LayoutError.noLayout(path.string, found: "nothing of that name")
    }
    guard status.kind == .directory else {
      throw LayoutError.noLayout(path.string, found: "a file")
    }
    for file in [layout.markerPath, layout.indexPath] {
      guard try layout.isFile(file) else {
        let name = file.lastComponent?.string ?? ""
        throw LayoutError.noLayout(path.string, found: "a folder without \(name.quoted)")
      }
    }
    try checkMarker(FileSystem.readAll(layout.markerPath, limit: Self.markerLimit), of: path)
    return layout
  }

  /// Opens the layout at `path`, or makes an empty one where nothing or an empty folder is; several processes
  /// may do so at once. What dead writers left behind is swept.
  ///
  /// - Throws: ``LayoutError/foreignDirectory`` where the folder holds something else.
  package static func create(_ path: FilePath) throws -> ImageLayout {
    let layout = ImageLayout(path)
    try FileSystem.createDirectories(path)
    if try FileSystem.status(of: layout.markerPath) == nil {
      // The output may be the folder that a temporary cache is made in, too.
      let ours = try [layout.store, BlobStore.beside(path.appending("index.json"))]
        .filter { try $0.holdsOnlyTemporaryFiles() }
        .compactMap { $0.temporaryDirectory.lastComponent?.string }
      let foreign = try FileSystem.entries(of: path).map { String(decoding: $0, as: UTF8.self) }
        .filter { !(ours + ["oci-layout"]).contains($0) }
      // Another process may have made the layout since; then what is there is its.
      if !foreign.isEmpty, try FileSystem.status(of: layout.markerPath) == nil {
        throw LayoutError.foreignDirectory(path.string, holds: foreign)
      }
    }
    try layout.withLock(creating: true) { marker in
      let found = try FileSystem.readAll(layout.markerPath, limit: Self.markerLimit)
      if Self.marker.starts(with: found) && found.count < Self.marker.count {
        // New, or cut short by a crash.
        try FileSystem.setMode(layout.markerPath, 0o644)
        try marker.seek(offset: 0, from: .start)
        try Self.marker.withUnsafeBytes {
          try FileSystem.writeAll(marker, $0, path: layout.markerPath)
        }
        try FileSystem.sync(marker, path: layout.markerPath)
      } else {
        try checkMarker(found, of: path)
      }
      try FileSystem.createDirectories(path.appending("blobs").appending("sha256"))
      if try !layout.isFile(layout.indexPath) {
        try layout.write(ImageIndex(manifests: []))
      }
    }
    try layout.store.sweep()
    return layout
  }

  /// What `index.json` says now.
  package func index() throws -> ImageIndex {
    guard try isFile(indexPath) else {
      throw FileError("reading", indexPath, .noSuchFileOrDirectory)
    }
    let bytes = try FileSystem.readAll(indexPath, limit: BlobStore.maximumDocumentSize)
    do { return try ImageIndex(json: JSON(parsing: bytes)) } catch {
      throw LayoutError.malformedDocument(indexPath.string.quoted, error)
    }
  }

  /// Reads `index.json`, changes it and swaps it, under the layout's lock: no change of another process is
  /// lost, readers see the old file or the new one. Where `body` changes nothing, nothing is written.
  /// Everything that other tools put into the file survives.
  @discardableResult
  package func update<Result>(_ body: (inout ImageIndex) throws -> Result) throws -> Result {
    try withLock { _ in
      let before = try index()
      var after = before
      let result = try body(&after)
      if CanonicalJSON.encode(after.json) != CanonicalJSON.encode(before.json) { try write(after) }
      return result
    }
  }

  /// Runs `body` while no other process changes `index.json`, begins to write or collects garbage.
  func withLock<Result>(
    creating: Bool = false, _ body: (FileDescriptor) throws -> Result
  ) throws -> Result {
    for _ in 0..<100 {
      _ = try isFile(markerPath)
      // Read-write, because NFS grants an exclusive lock on nothing less.
      let marker = try FileSystem.open(
        markerPath, .readWrite, options: creating ? [.create] : [], mode: creating ? 0o644 : nil,
        doing: "writing")
      defer { try? marker.close() }
      try FileSystem.lock(marker, path: markerPath)
      // Other tools do replace the file; a lock on the old one would be worth nothing.
      let locked = try FileSystem.status(of: marker, path: markerPath)
      if try FileSystem.status(of: markerPath)?.version == locked.version {
        return try body(marker)
      }
    }
    throw FileError("locking", markerPath, .resourceBusy)
  }

  /// Whether one of the layout's own files is there. It may be a symlink to one.
  ///
  /// - Throws: ``LayoutError/noLayout`` for what may be there but not be read: a fifo would keep its reader
  ///   waiting for ever.
  private func isFile(_ file: FilePath) throws -> Bool {
    guard let status = try FileSystem.status(of: file) else { return false }
    guard status.kind == .file else {
      let name = file.lastComponent?.string ?? ""
      throw LayoutError.noLayout(path.string, found: "one where \(name.quoted) is no regular file")
    }
    return true
  }

  private func write(_ index: ImageIndex) throws {
    try replaceIndex(with: CanonicalJSON.encode(index.json))
  }

  func replaceIndex(with bytes: [UInt8]) throws {
    try store.replace(indexPath) { file in
      try bytes.withUnsafeBytes { try FileSystem.writeAll(file, $0, path: indexPath) }
    }
  }

  /// Checks the content of the file `oci-layout`.
  static func checkMarker(_ bytes: [UInt8], of path: FilePath) throws {
    let marker: JSON
    do { marker = try JSON(parsing: bytes) } catch {
      throw LayoutError.malformedDocument(path.appending("oci-layout").string.quoted, error)
    }
    let version = marker["imageLayoutVersion"]
    guard version == "1.0.0" else {
      let found = version.map { String(decoding: CanonicalJSON.encode($0), as: UTF8.self) }
      throw LayoutError.unknownLayoutVersion(path.string, found: found ?? "none")
    }
  }

  static let marker = Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)
  static let markerLimit = 4096
}
