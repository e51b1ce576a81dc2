import Bindings
import Definition
import OCISpec
import Reporting

/// The entries of one layer while they are collected: one entry a path, nothing below a file, parents from
/// the layers below or by default, hardlinks after what they link to. Layer format v1, §2.2.
struct EntryTree {
  private let lower: LowerTree
  private let epoch: Int64
  private var entries: [ImagePath: PlannedEntry] = [:]

  init(lower: LowerTree, epoch: Int64) {
    self.lower = lower
    self.epoch = epoch
  }

  /// Adds entries, their parents, and resolves the hardlinks among them.
  /// - Returns: everything that is wrong, in the order of the paths.
  mutating func insert(_ found: [PlannedEntry]) -> [any Failure] {
    var failures: [AssemblyError] = []
    for entry in found {
      if entry.path.isWhiteout {
        failures.append(.reservedName(entry.path, origin: entry.origin))
      } else if let present = entries[entry.path] {
        guard let merged = merge(present, entry) else {
          failures.append(
            .duplicatePath(entry.path, first: present.origin, second: entry.origin))
          continue
        }
        entries[entry.path] = merged
      } else {
        entries[entry.path] = entry
      }
    }
    for entry in found { addParents(of: entry, &failures) }
    failures += resolveHardlinks()
    return failures
  }

  func sorted() -> [PlannedEntry] { entries.values.sorted { $0.path < $1.path } }

  /// A directory that the definition declares says how one from a tree or archive is to be; two of those may
  /// name the same directory where they agree on it.
  private func merge(_ a: PlannedEntry, _ b: PlannedEntry) -> PlannedEntry? {
    guard a.kind == .directory, b.kind == .directory else { return nil }
    if a.isDeclared != b.isDeclared { return a.isDeclared ? a : b }
    let agree =
      a.mode == b.mode && a.owner == b.owner && a.mtime == b.mtime && a.xattrs == b.xattrs
    return agree && !a.isDeclared ? a : nil
  }

  private mutating func addParents(of entry: PlannedEntry, _ failures: inout [AssemblyError]) {
    var path = entry.path.parent
    while let parent = path, !parent.isRoot {
      let blocker = entries[parent] ?? lower[parent]
      if let blocker, blocker.kind != .directory {
        failures.append(
          .belowNonDirectory(
            entry.path, origin: entry.origin, blocker: parent, blockerOrigin: blocker.origin))
        return
      }
      if entries[parent] != nil { return }
      entries[parent] =
        lower[parent]
        ?? PlannedEntry(
          path: parent, kind: .directory, mode: 0o755, owner: Owner(uid: 0, gid: 0), mtime: epoch,
          xattrs: [], content: .none, origin: entry.origin)
      path = parent.parent
    }
  }

  /// Of all names of one file the first in the layer's order carries the content, the others link to it, all
  /// with the attributes of the file (rule E4).
  private mutating func resolveHardlinks() -> [AssemblyError] {
    var failures: [AssemblyError] = []
    var names: [ImagePath: [ImagePath]] = [:]
    for entry in entries.values.sorted(by: { $0.path < $1.path }) {
      guard case .hardlink = entry.kind else { continue }
      switch file(behind: entry) {
      case .success(let file): names[file, default: [file]].append(entry.path)
      case .failure(let failure): failures.append(failure)
      }
    }
    for (path, group) in names {
      guard let file = entries[path], let first = group.min() else { continue }
      for name in group {
        var entry = file
        entry.path = name
        entry.origin = entries[name]?.origin ?? file.origin
        if name != first {
          entry.kind = .hardlink(target: first.bytes)
          entry.content = .none
          entry.xattrs = []
        }
        entries[name] = entry
      }
    }
    return failures
  }

  private func file(behind link: PlannedEntry) -> Result<ImagePath, AssemblyError> {
    var entry = link
    for _ in 0...entries.count {
      guard case .hardlink(let bytes) = entry.kind else { return .success(entry.path) }
      guard let target = try? ImagePath(archived: bytes), let next = entries[target],
        next.kind != .directory
      else {
        let target = (try? ImagePath(archived: bytes)) ?? .root
        return .failure(
          .missingHardlinkTarget(link.path, target: target, origin: link.origin))
      }
      entry = next
    }
    return .failure(.hardlinkCycle(link.path, origin: link.origin))
  }
}
