import Bindings
import OCILayout
import OCISpec

/// Where the paths of one layer's entries lead: symlinks of lower layers on the way are followed inside the
/// image, as a process in a container would, except those that the layer removes.
struct PathResolver {
  /// A path without symlinks.
  struct Place {
    let path: ImagePath
    /// What lower layers have there.
    let node: MergedTree.Node?
    /// What was followed to come there.
    let symlinks: [ImagePath]
  }

  /// The path that is asked for, and who asks.
  struct Request {
    let path: ImagePath
    let origin: String
  }

  private let lower: LowerTree
  private let removed: Set<ImagePath>
  /// The layer's own, so that what lies below them can.
  private var directories: Set<ImagePath> = []
  /// Directories that were found; what is declared later does not change them.
  private var places: [ImagePath: Place] = [:]

  /// - Parameter removed: paths without symlinks that the layer takes away, with all below them.
  init(_ lower: LowerTree, removed: some Sequence<ImagePath> = []) {
    self.lower = lower
    self.removed = Set(removed)
  }

  /// Exactly this name: symlinks above it are followed, itself it is not.
  mutating func name(at request: Request) throws -> Place {
    guard let parent = request.path.parent else { return root([]) }
    return try child(request.path.name, of: directory(at: parent, for: request))
  }

  /// What the name leads to: itself, where nothing is there.
  mutating func target(of request: Request) throws -> Place {
    guard let parent = request.path.parent else { return root([]) }
    return try follow(request.path.name, from: directory(at: parent, for: request), for: request)
  }

  /// The place of a directory that the layer has an entry for: a symlink to a directory means that directory.
  mutating func declareDirectory(at request: Request) throws -> Place {
    var place = try name(at: request)
    if case .symlink = place.node?.inode.header.kind {
      place = try target(of: request)
      guard place.node?.isDirectory ?? true else {
        throw AssemblyError.directoryOnSymlink(
          request.path, leadsTo: place.path, origin: request.origin)
      }
    }
    directories.insert(place.path)
    return place
  }

  /// What lower layers have at a path without symlinks, unless the layer removes it.
  func node(at path: ImagePath) -> MergedTree.Node? {
    var place = root([])
    for name in path.components {
      guard let next = try? child(name, of: place) else { return nil }
      place = next
    }
    return place.node
  }

  private func root(_ symlinks: [ImagePath]) -> Place {
    Place(path: .root, node: lower.root, symlinks: symlinks)
  }

  private func child(_ name: [UInt8], of place: Place) throws -> Place {
    let path = try place.path.appending(component: name)
    var node = removed.contains(path) ? nil : place.node?.children[name]
    // A directory of this layer stands in a file's place.
    if directories.contains(path), node?.isDirectory == false { node = nil }
    return Place(path: path, node: node, symlinks: place.symlinks)
  }

  /// The directory at a path, or where the layer will make it.
  private mutating func directory(at path: ImagePath, for request: Request) throws -> Place {
    var unknown: [ImagePath] = []
    var known = path
    while places[known] == nil, let parent = known.parent {
      unknown.append(known)
      known = parent
    }
    var place = places[known] ?? root([])
    while let next = unknown.popLast() {
      place = try follow(next.name, from: place, for: request)
      try requireDirectory(place, for: request)
      places[next] = place
    }
    return place
  }

  private func follow(
    _ name: [UInt8], from start: Place, for request: Request
  ) throws -> Place {
    // Each name with the symlink that speaks of it.
    var pending: [(name: [UInt8], symlink: ImagePath?)] = [(name, nil)]
    var at = start
    while let (name, symlink) = pending.popLast() {
      if name == Array(".".utf8) { continue }
      try requireDirectory(at, for: request)
      if name == Array("..".utf8) {
        let parent = at.path.parent ?? .root
        at = Place(path: parent, node: node(at: parent), symlinks: at.symlinks)
        continue
      }
      let next = try child(name, of: at)
      if case .symlink(let target) = next.node?.inode.header.kind {
        let symlinks = at.symlinks + [next.path]
        guard symlinks.count <= MergedTree.maximumSymlinkCount else {
          throw AssemblyError.symlinkLoop(
            request.path, symlink: next.path, origin: request.origin)
        }
        let slash = UInt8(ascii: "/")
        at =
          target.first == slash
          ? root(symlinks) : Place(path: at.path, node: at.node, symlinks: symlinks)
        pending += target.split(separator: slash).map { (Array($0), next.path) }.reversed()
        continue
      }
      if next.node == nil, !directories.contains(next.path), let symlink {
        throw AssemblyError.danglingSymlink(
          request.path, symlink: symlink, missing: next.path, origin: request.origin)
      }
      at = next
    }
    return at
  }

  private func requireDirectory(_ place: Place, for request: Request) throws {
    guard let node = place.node, !node.isDirectory else { return }
    throw AssemblyError.belowNonDirectory(
      request.path, origin: request.origin, blocker: place.path,
      blockerOrigin: lower.origin(of: node))
  }
}
