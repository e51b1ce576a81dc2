import Bindings
import OCISpec

/// What the layers below the one being planned hold: a parent directory that they have is written again with
/// exactly their metadata, so that a layer never changes what it only passes through.
struct LowerTree {
  private var entries: [ImagePath: PlannedEntry] = [:]

  subscript(path: ImagePath) -> PlannedEntry? { entries[path] }

  /// Every path of the image so far.
  func contains(_ path: ImagePath) -> Bool { entries[path] != nil }

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
