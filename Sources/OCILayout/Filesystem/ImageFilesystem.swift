package import Bindings
package import OCISpec
import Reporting

/// What a container of an image would see: its layers merged after layer.md. Holds the listing in memory and
/// reads content from the layers on demand.
package struct ImageFilesystem: Sendable {
  /// Where in the layers an entry comes from.
  package struct Origin: Sendable, Hashable {
    /// The layer's index in the manifest.
    package let layer: Int
    /// The entry's number in that layer, from 0.
    package let ordinal: Int
  }

  package struct Entry: Sendable {
    package let path: ImagePath
    /// Never a hardlink: every name of a file has the file's own header.
    package let header: TarHeader
    /// Sorted by the names' bytes.
    package let xattrs: [(name: [UInt8], value: [UInt8])]
    /// Equal for the names of one file; `nil` for a directory that no layer has an entry for.
    package let origin: Origin?
  }

  package let store: BlobStore
  package let layers: [Descriptor]
  /// Everything in the image in the order of ``ImagePath``, first the root directory.
  package let entries: [Entry]
  private let indices: [ImagePath: Int]

  /// Reads the listing of every layer, after one pass over its blob that holds it against its descriptor.
  ///
  /// - Parameter layers: a manifest's, from the base upwards.
  /// - Throws: ``LayoutError/corruptBlob`` and the like before anything of that layer is believed.
  package init(store: BlobStore, layers: [Descriptor]) throws {
    let tree = MergedTree()
    for (index, layer) in layers.enumerated() {
      if !layers[..<index].contains(layer) { try store.check(layer) }
      let reader = try LayerReader(store: store, layer: layer)
      var members: [LayerMember] = []
      while let member = try reader.next() { members.append(member) }
      try tree.apply(members, layer: index, digest: layer.digest)
    }
    try self.init(tree, store: store, layers: layers)
  }

  /// Lays layers over each other whose listings are known. Their blobs are read for content only; until then
  /// they need not be in `store`.
  package init(
    store: BlobStore, layers: [(descriptor: Descriptor, listing: LayerListing)]
  ) throws {
    let tree = MergedTree()
    for (index, layer) in layers.enumerated() {
      try tree.apply(layer.listing.members, layer: index, digest: layer.descriptor.digest)
    }
    try self.init(tree, store: store, layers: layers.map(\.descriptor))
  }

  private init(_ tree: MergedTree, store: BlobStore, layers: [Descriptor]) throws {
    var entries: [Entry] = []
    try Self.collect(tree.root, at: .root, into: &entries)
    self.store = store
    self.layers = layers
    self.entries = entries
    indices = Dictionary(uniqueKeysWithValues: zip(entries.map(\.path), entries.indices))
  }

  private static func collect(
    _ node: MergedTree.Node, at path: ImagePath, into entries: inout [Entry]
  ) throws {
    let inode = node.inode
    entries.append(
      Entry(path: path, header: inode.header, xattrs: inode.xattrs, origin: inode.origin))
    for name in node.children.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      guard let child = node.children[name] else { continue }
      try collect(child, at: path.appending(component: name), into: &entries)
    }
  }

  /// The entry at a path as people write it: `..`, doubled and trailing slashes are understood, a leading
  /// slash may be left out. Symlinks on the way are followed inside the image, which nothing leaves.
  ///
  /// - Parameter followSymlinks: whether a symlink at the path's end is followed too.
  /// - Throws: ``ImageFilesystemError``.
  package func lookup(_ path: String, followSymlinks: Bool = true) throws -> Entry {
    let slash = UInt8(ascii: "/")
    var pending = path.utf8.split(separator: slash).map(Array.init).reversed() as [[UInt8]]
    var trail = [entries[0]]
    var symlinkCount = 0
    while let name = pending.popLast() {
      if name == Array(".".utf8) { continue }
      if name == Array("..".utf8) {
        if trail.count > 1 { trail.removeLast() }
        continue
      }
      let directory = trail[trail.count - 1]
      guard directory.header.kind == .directory else {
        throw ImageFilesystemError.notDirectory(path, directory.path)
      }
      guard let child = child(name, of: directory) else {
        throw notFound(path, name: name, in: directory)
      }
      guard case .symlink(let target) = child.header.kind, followSymlinks || !pending.isEmpty else {
        trail.append(child)
        continue
      }
      symlinkCount += 1
      guard symlinkCount <= MergedTree.maximumSymlinkCount else {
        throw ImageFilesystemError.symlinkLoop(path)
      }
      if target.first == slash { trail = [entries[0]] }
      pending += target.split(separator: slash).map(Array.init).reversed()
    }
    return trail[trail.count - 1]
  }

  /// What `ls` shows: everything below a directory in order, or the one entry that is no directory. A symlink
  /// at the path's end is followed where it leads to a directory.
  package func list(at path: String = "/") throws -> [Entry] {
    let named = try lookup(path, followSymlinks: false)
    var directory = named
    if case .symlink = named.header.kind, let target = try? lookup(path) { directory = target }
    guard directory.header.kind == .directory, let start = indices[directory.path] else {
      return [named]
    }
    return Array(entries[(start + 1)...].prefix { $0.path.isWithin(directory.path) })
  }

  private func child(_ name: [UInt8], of directory: Entry) -> Entry? {
    guard let path = try? directory.path.appending(component: name) else { return nil }
    return indices[path].map { entries[$0] }
  }

  private func notFound(_ path: String, name: [UInt8], in directory: Entry) -> ImageFilesystemError
  {
    let siblings = entries.lazy.filter { $0.path.parent == directory.path }
    let names = siblings.map { String(decoding: $0.path.name, as: UTF8.self) }
    let nearest = String(decoding: name, as: UTF8.self).nearest(in: Array(names))
    let suggestion = nearest.flatMap { try? directory.path.appending(component: Array($0.utf8)) }
    return .notFound(path, in: directory.path, suggestion: suggestion)
  }
}
