package import Bindings
package import Definition
package import OCILayout
package import OCISpec
import Reporting
import SystemPackage

/// Turns a definition's layers into plans, from the lowest upwards. Reads directories and archives; writes
/// nothing but a spool for archives.
package struct LayerPlanner {
  /// What every time in the image is unless the definition says otherwise; seconds since 1970.
  package let epoch: Int64
  private let inputs: [String: InputFile]
  private let spoolStore: BlobStore
  private let archives: ScannedArchives
  private let reserved: [FileStatus.Identity]
  private(set) var lower: LowerTree

  /// - Parameters:
  ///   - inputs: by name, verified.
  ///   - spoolStore: where the content of archives waits until it is packed.
  ///   - archives: what other planners have read already.
  ///   - reserved: folders that no tree takes in: what ociforge itself writes.
  ///   - base: what the layers lie on; `nil` for scratch.
  /// - Throws: ``LayerError`` where the layers of the base cannot be one file system.
  package init(
    epoch: Int64, inputs: [String: InputFile], spoolStore: BlobStore,
    archives: ScannedArchives = ScannedArchives(), reserved: [FileStatus.Identity] = [],
    base: ResolvedBase? = nil
  ) throws {
    lower = try LowerTree(base)
    self.epoch = epoch
    self.inputs = inputs
    self.spoolStore = spoolStore
    self.archives = archives
    self.reserved = reserved
  }

  /// Plans the next layer.
  /// - Throws: a ``FailureList`` with everything that is wrong with it.
  package mutating func plan(_ layer: LayerDefinition) throws -> LayerPlan {
    var failures: [any Failure] = []
    var found: [PlannedEntry] = []
    var removals: [Removal] = []
    for entry in layer.entries {
      if case .remove = entry.content {
        removals.append(Removal(path: entry.path, origin: entry.location.description))
        continue
      }
      do { found += try entries(of: entry) } catch let failure as any Failure {
        failures.append(failure)
      }
    }
    var tree = EntryTree(lower: lower, epoch: epoch)
    failures += tree.insert(found, removing: removals)
    guard failures.isEmpty else { throw FailureList(failures) }
    let sorted = tree.sorted()
    lower.add(sorted)
    return LayerPlan(name: layer.name, entries: sorted)
  }

  /// Whether a path leads to something in the base and the layers planned so far.
  package func resolves(_ path: ImagePath) -> Bool {
    var resolver = PathResolver(lower)
    return (try? resolver.target(of: .init(path: path, origin: "")))?.node != nil
  }

  private func entries(of entry: LayerEntry) throws -> [PlannedEntry] {
    let origin = entry.location.description
    switch entry.content {
    case .input(let name):
      let file = try input(name, origin)
      return [try fileEntry(entry, file.path, isExecutable: file.isExecutable)]
    case .file(let path): return [try fileEntry(entry, path, isExecutable: nil)]
    case .tree(let path, let include, let exclude):
      return try TreeScan(
        entry: entry, include: include, exclude: exclude, epoch: epoch, reserved: reserved
      ).entries(of: path)
    case .archive(let source):
      let path =
        switch source {
        case .file(let path): path
        case .input(let name): try input(name, origin).path
        }
      _ = try plainFile(path, origin)
      return try archives.entries(of: path, for: entry, epoch: epoch, spoolStore: spoolStore)
    case .text(let bytes):
      return [
        planned(entry, .file(size: Int64(bytes.count)), defaultMode: 0o644, content: .bytes(bytes))
      ]
    case .symlink(let target):
      return [planned(entry, .symlink(target: target), defaultMode: 0o777)]
    case .hardlink(let target):
      return [planned(entry, .hardlink(target: target.bytes), defaultMode: 0o644)]
    case .directory: return [directory(entry)]
    case .remove: return []
    }
  }

  /// What the definition says of it wins; the rest is as a directory that the base has there, or the default.
  private func directory(_ entry: LayerEntry) -> PlannedEntry {
    var directory = planned(entry, .directory, defaultMode: 0o755)
    let attributes = entry.attributes
    if attributes.mode == nil { directory.inherited.insert(.mode) }
    if attributes.owner == nil { directory.inherited.insert(.owner) }
    if attributes.mtime == nil { directory.inherited.insert(.mtime) }
    if attributes.xattrs.isEmpty { directory.inherited.insert(.xattrs) }
    return directory
  }

  private func input(_ name: String, _ origin: String) throws -> InputFile {
    guard let file = inputs[name] else {
      throw AssemblyError.missingInput(name, origin: origin)
    }
    return file
  }

  private func fileEntry(
    _ entry: LayerEntry, _ path: FilePath, isExecutable: Bool?
  ) throws -> PlannedEntry {
    let origin = entry.location.description
    let status = try plainFile(path, origin)
    let mode = defaultMode(isExecutable: isExecutable ?? (status.mode & 0o111 != 0))
    return planned(entry, .file(size: status.size), defaultMode: mode, content: .file(path))
  }

  /// A file that is there and is one: a fifo would be waited for without end.
  private func plainFile(_ path: FilePath, _ origin: String) throws -> FileStatus {
    guard let status = try FileSystem.status(of: path) else {
      throw AssemblyError.missingFile(path.string, origin: origin)
    }
    guard status.kind == .file else {
      throw AssemblyError.notAFile(path.string, found: "a \(status.kind)", origin: origin)
    }
    return status
  }

  private func planned(
    _ entry: LayerEntry, _ kind: TarHeader.Kind, defaultMode: UInt32,
    content: PlannedEntry.Content = .none
  ) -> PlannedEntry {
    let attributes = entry.attributes
    return PlannedEntry(
      path: entry.path, kind: kind, mode: attributes.mode ?? defaultMode,
      owner: attributes.owner ?? Owner(uid: 0, gid: 0), mtime: attributes.mtime ?? epoch,
      xattrs: attributes.xattrs.map(\.normalized), content: content,
      origin: entry.location.description, isDeclared: true)
  }
}
