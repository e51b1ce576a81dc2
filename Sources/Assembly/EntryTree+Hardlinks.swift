import Bindings
import OCILayout
import OCISpec

extension EntryTree {
  /// Of all names of one file the first in the layer's order carries the content, the others link to it, all
  /// with the attributes of the file (rule E4).
  mutating func resolveHardlinks(_ resolver: PathResolver) -> [AssemblyError] {
    var failures: [AssemblyError] = []
    var names: [ImagePath: [ImagePath]] = [:]
    let links = entries.values.filter { if case .hardlink = $0.kind { true } else { false } }
    for entry in links.sorted(by: { $0.path < $1.path }) {
      switch file(behind: entry, resolver) {
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

  private func file(
    behind link: PlannedEntry, _ resolver: PathResolver
  ) -> Result<ImagePath, AssemblyError> {
    var entry = link
    for _ in 0...entries.count {
      guard case .hardlink(let bytes) = entry.kind else { return .success(entry.path) }
      let target = (try? ImagePath(archived: bytes)) ?? .root
      guard let next = entries[target], next.kind != .directory else {
        let below = resolver.node(at: target).flatMap { $0.isDirectory ? nil : $0 }
        return .failure(
          .missingHardlinkTarget(
            link.path, target: target, inLower: below.map(lower.origin), origin: link.origin))
      }
      entry = next
    }
    return .failure(.hardlinkCycle(link.path, origin: link.origin))
  }
}
