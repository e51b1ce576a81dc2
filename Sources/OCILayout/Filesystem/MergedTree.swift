package import Bindings
package import OCISpec

/// The layers of an image laid over each other as layer.md says, as a tree of names. Holds headers, never
/// content.
///
/// A class, because names and hardlinks share what they point at. Entries below a symlink that a lower layer
/// left go where it points, inside the image: what unpackers do (umoci, containerd).
package final class MergedTree {
  package static let maximumSymlinkCount = 40
  static let maximumDepth = 2048

  /// What a name stands for; hardlinks are several names of one.
  package final class Inode {
    package let header: TarHeader
    package let xattrs: [(name: [UInt8], value: [UInt8])]
    /// `nil` for a directory that no layer has an entry for.
    package let origin: ImageFilesystem.Origin?

    init(
      _ header: TarHeader, xattrs: [(name: [UInt8], value: [UInt8])] = [],
      origin: ImageFilesystem.Origin? = nil
    ) {
      self.header = header
      self.xattrs = xattrs
      self.origin = origin
    }
  }

  package final class Node {
    package internal(set) var inode: Inode
    package internal(set) var children: [[UInt8]: Node] = [:]

    init(_ inode: Inode) { self.inode = inode }

    package var isDirectory: Bool { inode.header.kind == .directory }
  }

  package let root = Node(MergedTree.impliedDirectory)

  package init() {}

  /// A directory that only the names of other entries speak of.
  static var impliedDirectory: Inode {
    Inode(TarHeader(path: [], kind: .directory, mode: 0o755, uid: 0, gid: 0, mtime: 0))
  }

  /// Lays a layer over what is here. Its whiteouts are applied before anything of its own, wherever they stand
  /// in it, as they hide lower layers only.
  package func apply(_ members: [LayerMember], layer: Int, digest: Digest) throws {
    let own = Set(members.lazy.filter { $0.whiteout == nil }.map(\.path))
    for member in members {
      let context = Context(path: member.path, layer: digest)
      switch member.whiteout {
      case .remove(let path):
        guard let parent = path.parent else { continue }
        try find(parent.components, context)?.children[path.name] = nil
      case .opaque(let path):
        // Where this layer puts an entry at the directory's own name, a symlink there is replaced, not followed.
        let directory =
          own.contains(path) ? try node(at: path, context) : try find(path.components, context)
        directory?.children = [:]
      case nil: break
      }
    }
    for member in members where member.whiteout == nil {
      try add(member, layer: layer, Context(path: member.path, layer: digest))
    }
  }

  private struct Context {
    let path: ImagePath
    let layer: Digest
  }

  private func add(_ member: LayerMember, layer: Int, _ context: Context) throws {
    let origin = ImageFilesystem.Origin(layer: layer, ordinal: member.ordinal)
    let inode = Inode(member.header, xattrs: member.xattrs, origin: origin)
    guard let parentPath = member.path.parent else {
      guard member.header.kind == .directory else {
        throw LayerError.rootNotDirectory(layer: context.layer)
      }
      root.inode = inode
      return
    }
    let parent = try makeDirectory(parentPath.components, context)
    let name = member.path.name
    switch member.header.kind {
    case .directory:
      if let existing = parent.children[name], existing.isDirectory {
        existing.inode = inode
      } else {
        parent.children[name] = Node(inode)
      }
    case .hardlink(let target):
      let path = try ImagePath(archived: target)
      guard let linked = try node(at: path, context), !linked.isDirectory else {
        throw LayerError.hardlinkTarget(
          layer: context.layer, context.path, target: path.description)
      }
      parent.children[name] = Node(linked.inode)
    default: parent.children[name] = Node(inode)
    }
  }

  /// The node of exactly this name: symlinks above it are followed, itself it is not.
  private func node(at path: ImagePath, _ context: Context) throws -> Node? {
    guard let parent = path.parent else { return root }
    return try find(parent.components, context)?.children[path.name]
  }

  private func find(_ components: [[UInt8]], _ context: Context) throws -> Node? {
    try walk(components, context) { _ in nil }
  }

  private func makeDirectory(_ components: [[UInt8]], _ context: Context) throws -> Node {
    let made = try walk(components, context) { isFree in
      guard isFree else { throw LayerError.belowFile(layer: context.layer, context.path) }
      return Node(Self.impliedDirectory)
    }
    guard let made else { throw LayerError.belowFile(layer: context.layer, context.path) }
    return made
  }

  /// The directory at a path, symlinks followed inside the tree.
  ///
  /// - Parameter missing: makes a directory where a name is free (`true`) or taken by a file (`false`); its
  ///   `nil` ends the walk.
  private func walk(
    _ components: [[UInt8]], _ context: Context, missing: (_ isFree: Bool) throws -> Node?
  ) throws -> Node? {
    var pending = Array(components.reversed())
    var trail = [root]
    var symlinkCount = 0
    while let name = pending.popLast() {
      if name.isEmpty || name == Array(".".utf8) { continue }
      if name == Array("..".utf8) {
        if trail.count > 1 { trail.removeLast() }
        continue
      }
      let current = trail[trail.count - 1]
      let child = current.children[name]
      if let child, child.isDirectory {
        trail.append(child)
      } else if case .symlink(let target) = child?.inode.header.kind {
        symlinkCount += 1
        guard symlinkCount <= Self.maximumSymlinkCount else {
          throw LayerError.symlinkLoop(layer: context.layer, context.path)
        }
        if target.first == UInt8(ascii: "/") { trail = [root] }
        pending += target.split(separator: UInt8(ascii: "/")).map(Array.init).reversed()
      } else {
        guard let made = try missing(child == nil) else { return nil }
        current.children[name] = made
        trail.append(made)
      }
      // Symlinks can lengthen a path beyond what a name in an archive can say.
      guard trail.count <= Self.maximumDepth else {
        throw LayerError.tooDeep(layer: context.layer, context.path)
      }
    }
    return trail[trail.count - 1]
  }
}
