package import Bindings
package import OCISpec

/// A layer that is being made, entry by entry, at paths that lead through directories only.
extension MergedTree {
  /// Lays an entry over what is here, with the directories above it. What a hardlink names must be here.
  package func put(
    _ header: TarHeader, xattrs: [(name: [UInt8], value: [UInt8])], at path: ImagePath,
    layer: Int, ordinal: Int
  ) {
    var inode = Inode(
      header, xattrs: xattrs, origin: ImageFilesystem.Origin(layer: layer, ordinal: ordinal))
    guard let parent = path.parent else {
      root.inode = inode
      return
    }
    let directory = makeDirectory(at: parent)
    if header.kind == .directory, let present = directory.children[path.name], present.isDirectory {
      present.inode = inode
      return
    }
    if case .hardlink(let target) = header.kind, let target = try? ImagePath(archived: target),
      let linked = node(at: target)
    {
      inode = linked.inode
    }
    directory.children[path.name] = Node(inode)
  }

  /// Takes away what is at a path, with all below it.
  package func remove(_ path: ImagePath) {
    guard let parent = path.parent else { return }
    node(at: parent)?.children[path.name] = nil
  }

  private func node(at path: ImagePath) -> Node? {
    var node = root
    for name in path.components {
      guard let child = node.children[name] else { return nil }
      node = child
    }
    return node
  }

  private func makeDirectory(at path: ImagePath) -> Node {
    var node = root
    for name in path.components {
      if let child = node.children[name], child.isDirectory {
        node = child
      } else {
        let made = Node(Self.impliedDirectory)
        node.children[name] = made
        node = made
      }
    }
    return node
  }
}
