import Bindings
import Definition
import OCISpec
import Reporting
import SystemPackage

/// The files below a directory of the host as entries of a layer. Symlinks stay symlinks; modes follow the
/// execute bit, never the checkout's umask; owners, times and attributes of the host stay out.
struct TreeScan {
  let entry: LayerEntry
  let include: [Glob]
  let exclude: [Glob]
  let epoch: Int64
  /// Folders that stay out: an image must not depend on what earlier runs left in the tree.
  let reserved: [FileStatus.Identity]

  func entries(of directory: FilePath) throws -> [PlannedEntry] {
    guard let status = try FileSystem.status(of: directory) else {
      throw AssemblyError.missingFile(directory.string, origin: entry.location.description)
    }
    guard status.kind == .directory else {
      throw AssemblyError.notADirectory(directory.string, origin: entry.location.description)
    }
    var found: [PlannedEntry] = []
    if !entry.path.isRoot { found.append(planned(entry.path, .directory, mode: 0o755)) }
    _ = try scan(directory, relative: [], into: &found)
    return found
  }

  /// Adds what is in `directory`, whose path below the tree's root is `relative`.
  /// - Returns: whether something reserved was left out.
  private func scan(
    _ directory: FilePath, relative: [UInt8], into found: inout [PlannedEntry]
  ) throws -> Bool {
    var leftOut = false
    for name in try FileSystem.entries(of: directory) {
      let file = directory.appending(bytes: name)
      let path = relative.isEmpty ? name : relative + [UInt8(ascii: "/")] + name
      if exclude.contains(where: { $0.matches(path) }) { continue }
      guard let status = try FileSystem.status(of: file, followSymlink: false) else { continue }
      if status.kind == .directory {
        if reserved.contains(status.identity) {
          leftOut = true
          continue
        }
        let before = found.count
        let holdsReserved = try scan(file, relative: path, into: &found)
        // A directory is wanted for itself, or because something in it is; one that only leads to what is
        // reserved was made for that.
        if found.count > before || isIncluded(path) && !holdsReserved {
          found.append(planned(try place(path), .directory, mode: 0o755))
        }
        continue
      }
      guard isIncluded(path) else { continue }
      switch status.kind {
      case .file:
        let mode = entry.attributes.mode ?? defaultMode(isExecutable: status.mode & 0o111 != 0)
        found.append(
          planned(try place(path), .file(size: status.size), mode: mode, content: .file(file)))
      case .symlink:
        let target = try FileSystem.symlinkTarget(of: file)
        found.append(planned(try place(path), .symlink(target: target), mode: 0o777))
      case let kind:
        throw AssemblyError.unsupportedKind(
          file.string, found: "a \(kind)", origin: entry.location.description)
      }
    }
    return leftOut
  }

  private func isIncluded(_ path: [UInt8]) -> Bool {
    include.isEmpty || include.contains { $0.matches(path) }
  }

  private func place(_ relative: [UInt8]) throws -> ImagePath {
    do { return entry.path.appending(try ImagePath(archived: relative)) } catch {
      throw ContextualFailure(entry.location.description, error)
    }
  }

  private func planned(
    _ path: ImagePath, _ kind: TarHeader.Kind, mode: UInt32, content: PlannedEntry.Content = .none
  ) -> PlannedEntry {
    PlannedEntry(
      path: path, kind: kind, mode: mode, owner: entry.attributes.owner ?? Owner(uid: 0, gid: 0),
      mtime: entry.attributes.mtime ?? epoch, xattrs: [], content: content,
      // What the host's directory is like stays out, so it says nothing of one that is there.
      origin: entry.location.description, inherited: .all)
  }
}

/// Layer format v1, §2.3: 0644, or 0755 where the source may be executed.
func defaultMode(isExecutable: Bool) -> UInt32 { isExecutable ? 0o755 : 0o644 }
