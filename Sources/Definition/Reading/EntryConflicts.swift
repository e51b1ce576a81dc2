import OCISpec
import Reporting

/// An entry with the places that complaints about it name.
struct PlacedEntry {
  let entry: LayerEntry
  /// Its `path`.
  let path: Located
  /// Its `hardlink`.
  let target: Located?

  /// Whether what lies below its path comes from a folder or an archive, which the text does not show.
  var bringsMore: Bool {
    switch entry.content {
    case .tree, .archive: true
    default: false
    }
  }

  var removes: Bool { if case .remove = entry.content { true } else { false } }

  /// Whether it makes its path something that nothing can lie below.
  var isLeaf: Bool {
    switch entry.content {
    case .tree, .archive, .directory, .remove: false
    case .input, .file, .text, .symlink, .hardlink: true
    }
  }
}

/// What one layer's entries do to each other, as far as the definition's text alone tells.
struct EntryConflicts {
  private let entries: [PlacedEntry]
  /// The first leaf of each path.
  private var leaves: [ImagePath: PlacedEntry] = [:]

  init(_ entries: [PlacedEntry]) {
    self.entries = entries
    for entry in entries where entry.isLeaf && leaves[entry.entry.path] == nil {
      leaves[entry.entry.path] = entry
    }
  }

  func complain() {
    var before: [ImagePath: [PlacedEntry]] = [:]
    for entry in entries {
      let path = entry.entry.path
      if let first = before[path]?.first(where: { excludes($0, entry) }) {
        entry.path.complain(
          "expected each path once in a layer, found \(path.description.quoted) again; the first is at \(first.path.position)"
        )
      }
      before[path, default: []].append(entry)
      complainAboutFileAbove(entry)
      complainAboutTarget(entry)
    }
  }

  /// Several trees and archives may fill one directory, and one entry may set that directory's metadata. What
  /// is removed is a lower layer's, so that something new may take its place.
  private func excludes(_ a: PlacedEntry, _ b: PlacedEntry) -> Bool {
    if a.removes || b.removes { return a.removes && b.removes }
    return a.isLeaf || b.isLeaf || !(a.bringsMore || b.bringsMore)
  }

  private func complainAboutFileAbove(_ entry: PlacedEntry) {
    var above = entry.entry.path.parent
    while let path = above {
      if let file = leaves[path] {
        entry.path.complain(
          "expected a directory at \(path.description.quoted), found that the entry at \(file.path.position) makes it \(noun(file))"
        )
        return
      }
      above = path.parent
    }
  }

  private func noun(_ entry: PlacedEntry) -> String {
    if case .symlink = entry.entry.content { "a symlink" } else { "a file" }
  }

  private func complainAboutTarget(_ entry: PlacedEntry) {
    guard case .hardlink(let target) = entry.entry.content, let place = entry.target else { return }
    if let file = leaves[target] {
      guard case .hardlink = file.entry.content else { return }
      place.complain("expected a file, found \(target.description.quoted), itself a hardlink")
      return
    }
    if entries.contains(where: { $0.bringsMore && target.isWithin($0.entry.path) }) { return }
    let files = leaves.values.filter { $0.target == nil }.map(\.entry.path.description).sorted()
    place.complain(
      "expected a file of the same layer, found \(target.description.quoted)\(hint(target.description, files))"
    )
  }
}
