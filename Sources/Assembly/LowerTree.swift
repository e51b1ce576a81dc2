import Bindings
import Definition
import OCILayout
import OCISpec

/// What the layers below the one being planned hold: those of the base, and the definition's own.
struct LowerTree {
  /// Whether the image stands on a base.
  let isOnBase: Bool
  /// A class: copies of this value share it, and only their common owner adds to it.
  private let tree = MergedTree()
  private let baseLayerCount: Int
  /// Of every entry of our own layers, what put it there.
  private var origins: [[String]] = []

  /// - Throws: ``LayerError`` where the layers of the base cannot be one file system.
  init(_ base: ResolvedBase?) throws {
    isOnBase = base != nil
    let layers = base?.layers ?? []
    baseLayerCount = layers.count
    for (index, layer) in layers.enumerated() {
      try tree.apply(layer.listing.members, layer: index, digest: layer.descriptor.digest)
    }
  }

  var root: MergedTree.Node { tree.root }

  /// What put something here, for messages.
  func origin(of node: MergedTree.Node) -> String {
    guard let origin = node.inode.origin, origin.layer >= baseLayerCount else { return "the base" }
    return origins[origin.layer - baseLayerCount][origin.ordinal]
  }

  /// Lays a planned layer over what is here.
  mutating func add(_ layer: [PlannedEntry]) {
    let number = baseLayerCount + origins.count
    for entry in layer { if let path = entry.removedPath { tree.remove(path) } }
    for (ordinal, entry) in layer.enumerated() where !entry.path.isWhiteout {
      tree.put(
        entry.header, xattrs: entry.xattrs.map { ($0.name, $0.value) }, at: entry.path,
        layer: number, ordinal: ordinal)
    }
    origins.append(layer.map(\.origin))
  }
}

extension PlannedEntry {
  /// What this entry takes away, where it is a whiteout.
  fileprivate var removedPath: ImagePath? {
    guard path.isWhiteout, let parent = path.parent else { return nil }
    return try? parent.appending(
      component: Array(path.name.dropFirst(ImagePath.whiteoutPrefix.count)))
  }
}
