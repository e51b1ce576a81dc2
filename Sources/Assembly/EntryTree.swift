import Bindings
import Definition
import OCILayout
import OCISpec
import Reporting

/// The entries of one layer while they are collected: where symlinks of lower layers lead, one entry a path,
/// nothing below a file, parents from the layers below or by default, hardlinks after what they link to,
/// whiteouts for what the layer removes. Layer format v1, §2.2.
struct EntryTree {
  let lower: LowerTree
  let epoch: Int64
  var entries: [ImagePath: PlannedEntry] = [:]

  init(lower: LowerTree, epoch: Int64) {
    self.lower = lower
    self.epoch = epoch
  }

  /// Adds entries, their parents and whiteouts, and resolves the hardlinks among them.
  /// - Returns: everything that is wrong: where paths lead, then in the order of the entries.
  mutating func insert(
    _ found: [PlannedEntry], removing removals: [Removal] = []
  ) -> [any Failure] {
    var failures: [any Failure] = []
    let removed = resolve(removals, beside: found, &failures)
    var resolver = PathResolver(lower, removed: removed.keys)
    let placed = place(found, &resolver, &failures)
    for entry in placed {
      guard let present = entries[entry.path] else {
        entries[entry.path] = entry
        continue
      }
      if let merged = merge(present, entry) {
        entries[entry.path] = merged
      } else {
        failures.append(
          AssemblyError.duplicatePath(
            entry.path, first: present.origin, second: entry.origin,
            symlink: (entry.symlinks + present.symlinks).last))
      }
    }
    for entry in placed { addParents(of: entry, resolver, &failures) }
    for entry in whiteouts(for: removed, &failures) {
      entries[entry.path] = entry
      addParents(of: entry, resolver, &failures)
    }
    failures += resolveHardlinks(resolver) as [any Failure]
    return failures
  }

  func sorted() -> [PlannedEntry] { entries.values.sorted { $0.path < $1.path } }

  /// The entries where they come to lie. Directories are looked at first, from the top, so that what lies
  /// below them finds them.
  private func place(
    _ found: [PlannedEntry], _ resolver: inout PathResolver, _ failures: inout [any Failure]
  ) -> [PlannedEntry] {
    var placed = [PlannedEntry?](repeating: nil, count: found.count)
    let directories = found.indices.filter { found[$0].kind == .directory }
    let others = found.indices.filter { found[$0].kind != .directory }
    for index in directories.sorted(by: { found[$0].path < found[$1].path }) + others {
      let entry = found[index]
      guard !entry.path.isWhiteout else {
        failures.append(AssemblyError.reservedName(entry.path, origin: entry.origin))
        continue
      }
      do { placed[index] = try place(entry, &resolver) } catch {
        failures.append(
          error as? AssemblyError ?? ContextualFailure(entry.origin, error) as any Failure)
      }
    }
    return placed.compactMap { $0 }
  }

  private func place(
    _ entry: PlannedEntry, _ resolver: inout PathResolver
  ) throws -> PlannedEntry {
    let request = PathResolver.Request(path: entry.path, origin: entry.origin)
    var entry = entry
    let place: PathResolver.Place
    if entry.kind == .directory {
      place = try resolver.declareDirectory(at: request)
      entry.inherit(from: lower.isOnBase ? place.node?.directory : nil)
    } else {
      place = try resolver.name(at: request)
      if case .hardlink(let bytes) = entry.kind, let target = try? ImagePath(archived: bytes) {
        let target = try resolver.name(at: .init(path: target, origin: entry.origin))
        entry.kind = .hardlink(target: target.path.bytes)
      }
    }
    entry.path = place.path
    entry.symlinks = place.symlinks
    return entry
  }

  /// A directory that the definition declares says how one from a tree or archive is to be; two of those may
  /// name the same directory where they agree on it, or where one only passes through what is there.
  private func merge(_ a: PlannedEntry, _ b: PlannedEntry) -> PlannedEntry? {
    guard a.kind == .directory, b.kind == .directory else { return nil }
    if a.isDeclared != b.isDeclared { return a.isDeclared ? a : b }
    guard !a.isDeclared else { return nil }
    if a.inherited == .all { return b }
    if b.inherited == .all { return a }
    let agree =
      a.mode == b.mode && a.owner == b.owner && a.mtime == b.mtime && a.xattrs == b.xattrs
    return agree ? a : nil
  }

  private mutating func addParents(
    of entry: PlannedEntry, _ resolver: PathResolver, _ failures: inout [any Failure]
  ) {
    // A name that this layer makes a file or symlink is no way to anywhere, whatever lower layers have there.
    for symlink in entry.symlinks {
      guard let blocker = entries[symlink], blocker.kind != .directory else { continue }
      failures.append(AssemblyError(entry, below: blocker))
      return
    }
    var path = entry.path.parent
    while let parent = path, !parent.isRoot {
      if let present = entries[parent] {
        if present.kind != .directory { failures.append(AssemblyError(entry, below: present)) }
        return
      }
      var directory = PlannedEntry(
        path: parent, kind: .directory, mode: 0o755, owner: Owner(uid: 0, gid: 0), mtime: epoch,
        xattrs: [], content: .none, origin: entry.origin, inherited: .all)
      directory.inherit(from: resolver.node(at: parent)?.directory)
      entries[parent] = directory
      path = parent.parent
    }
  }
}

extension AssemblyError {
  fileprivate init(_ entry: PlannedEntry, below blocker: PlannedEntry) {
    self = .belowNonDirectory(
      entry.path, origin: entry.origin, blocker: blocker.path, blockerOrigin: blocker.origin)
  }
}

extension MergedTree.Node {
  /// A directory that some layer has an entry for; of others nobody knows the metadata.
  fileprivate var directory: MergedTree.Inode? {
    isDirectory && inode.origin != nil ? inode : nil
  }
}

extension PlannedEntry {
  /// Takes over what is left open from a directory that is there; where none is, nothing is.
  fileprivate mutating func inherit(from directory: MergedTree.Inode?) {
    guard let directory else {
      inherited = []
      return
    }
    let header = directory.header
    if inherited.contains(.mode) { mode = header.mode }
    if inherited.contains(.owner) { owner = Owner(uid: header.uid, gid: header.gid) }
    // What a ustar header holds (reproducibility.md, T9).
    if inherited.contains(.mtime) { mtime = min(max(0, header.mtime), (1 << 33) - 1) }
    if inherited.contains(.xattrs) {
      var seen = Set<[UInt8]>()
      // bsdtar stores each attribute twice, in its own form and in the common one.
      xattrs = directory.xattrs.filter { seen.insert($0.name).inserted }
        .map { ExtendedAttribute(name: $0.name, value: $0.value) }
    }
  }
}
