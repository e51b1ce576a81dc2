import Bindings
import OCISpec

/// What the layers below the one being planned hold: a parent directory that they have is written again with
/// exactly their metadata, so that a layer never changes what it only passes through.
struct LowerTree {
  private var entries: [ImagePath: PlannedEntry] = [:]

  subscript(path: ImagePath) -> PlannedEntry? { entries[path] }

  /// Whether a path leads to something, symlinks followed as the kernel would inside the image.
  func resolves(_ path: ImagePath) -> Bool {
    var rest = path.components[...]
    var at = ImagePath.root
    var hops = 0
    while let name = rest.popFirst() {
      if name == Array("..".utf8) {
        at = at.parent ?? .root
        continue
      }
      if name.isEmpty || name == Array(".".utf8) { continue }
      guard let next = try? at.appending(component: name), let entry = entries[next] else {
        return false
      }
      guard case .symlink(let target) = entry.kind else {
        at = next
        continue
      }
      hops += 1
      guard hops <= 40 else { return false }
      let slash = UInt8(ascii: "/")
      if target.first == slash { at = .root }
      rest = target.split(separator: slash).map(Array.init) + rest
    }
    return true
  }

  mutating func add(_ layer: [PlannedEntry]) {
    for entry in layer {
      if let below = entries[entry.path], below.kind == .directory, entry.kind != .directory {
        // A file in a directory's place hides all that was in it.
        entries = entries.filter { !$0.key.isWithin(entry.path) }
      }
      entries[entry.path] = entry
    }
  }
}
