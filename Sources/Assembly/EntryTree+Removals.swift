import Bindings
import Definition
import OCILayout
import OCISpec
import Reporting

/// A path that a layer takes away from what lies below it.
struct Removal {
  let path: ImagePath
  let origin: String
}

extension EntryTree {
  /// Where removals lead; what lies below another one goes with that.
  /// - Returns: what put each of them there, by paths without symlinks.
  func resolve(
    _ removals: [Removal], beside found: [PlannedEntry], _ failures: inout [any Failure]
  ) -> [ImagePath: String] {
    var resolver = PathResolver(lower)
    var resolved: [ImagePath: String] = [:]
    for removal in removals {
      do {
        let place = try resolver.name(at: .init(path: removal.path, origin: removal.origin))
        guard place.node != nil else {
          throw AssemblyError.nothingToRemove(
            removal.path, suggestion: suggestion(for: place.path),
            isInSameLayer: found.contains { $0.path.isWithin(removal.path) },
            origin: removal.origin)
        }
        resolved[place.path] = removal.origin
      } catch {
        failures.append(
          error as? AssemblyError ?? ContextualFailure(removal.origin, error) as any Failure)
      }
    }
    var kept: [ImagePath: String] = [:]
    var last: ImagePath?
    for (path, origin) in resolved.sorted(by: { $0.key < $1.key }) {
      if let last, path.isWithin(last) { continue }
      kept[path] = origin
      last = path
    }
    return kept
  }

  /// The whiteouts that take away what is removed and what no entry of this layer replaces.
  ///
  /// Where the layer makes a directory anew, each name in the old one is taken away by itself: layer.md
  /// ("Whiteouts") prefers explicit ones to `.wh..wh..opq`, format v1 has no others (rule E5), and a whiteout
  /// beside the new directory would be lost where unpackers make it a device that the directory then replaces
  /// (containerd's and Docker's overlay drivers). A file in a directory's place, or the other way round, needs
  /// none: layer.md ("Changeset over existing files") has the old one removed.
  func whiteouts(
    for removed: [ImagePath: String], _ failures: inout [any Failure]
  ) -> [PlannedEntry] {
    var found: [PlannedEntry] = []
    let resolver = PathResolver(lower)
    for (path, origin) in removed.sorted(by: { $0.key < $1.key }) {
      guard let node = resolver.node(at: path) else { continue }
      var pending = [(path: path, node: node)]
      while let (path, node) = pending.popLast() {
        do {
          guard let present = entries[path] else {
            found.append(try whiteout(of: path, origin: origin))
            continue
          }
          guard present.kind == .directory else { continue }
          for (name, child) in node.children {
            pending.append((try path.appending(component: name), child))
          }
        } catch { failures.append(ContextualFailure(origin, error)) }
      }
    }
    return found
  }

  /// Layer format v1, rule E5.
  private func whiteout(of path: ImagePath, origin: String) throws -> PlannedEntry {
    let parent = path.parent ?? .root
    return PlannedEntry(
      path: try parent.appending(component: ImagePath.whiteoutPrefix + path.name),
      kind: .file(size: 0), mode: 0o644, owner: Owner(uid: 0, gid: 0), mtime: epoch, xattrs: [],
      content: .none, origin: origin)
  }

  /// The path with the first name that is missing replaced by the nearest one beside it.
  private func suggestion(for path: ImagePath) -> ImagePath? {
    var node = lower.root
    var directory = ImagePath.root
    for name in path.components {
      if let child = node.children[name], let next = try? directory.appending(component: name) {
        (node, directory) = (child, next)
        continue
      }
      let names = node.children.keys.map { String(decoding: $0, as: UTF8.self) }.sorted()
      let nearest = String(decoding: name, as: UTF8.self).nearest(in: names)
      return nearest.flatMap { try? directory.appending(component: Array($0.utf8)) }
    }
    return nil
  }
}
