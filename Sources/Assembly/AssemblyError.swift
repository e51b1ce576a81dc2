import Definition
import OCILayout
package import OCISpec
package import Reporting

/// What is wrong with the files that an image is made of. `origin` is a place in the definition.
package enum AssemblyError: Failure, Equatable {
  /// `symlink`: what one of the two was led there by.
  case duplicatePath(ImagePath, first: String, second: String, symlink: ImagePath?)
  case belowNonDirectory(ImagePath, origin: String, blocker: ImagePath, blockerOrigin: String)
  case danglingSymlink(ImagePath, symlink: ImagePath, missing: ImagePath, origin: String)
  case symlinkLoop(ImagePath, symlink: ImagePath, origin: String)
  case directoryOnSymlink(ImagePath, leadsTo: ImagePath, origin: String)
  case nothingToRemove(
    ImagePath, suggestion: ImagePath?, isInSameLayer: Bool, origin: String)
  /// `inLower`: what put a file of that name into a lower layer.
  case missingHardlinkTarget(
    ImagePath, target: ImagePath, inLower: String?, origin: String)
  case hardlinkCycle(ImagePath, origin: String)
  case unsupportedKind(String, found: String, origin: String)
  case notAFile(String, found: String, origin: String)
  case hostileMember(archive: String, problem: String, origin: String)
  case reservedName(ImagePath, origin: String)
  case notADirectory(String, origin: String)
  case missingInput(String, origin: String)
  case missingFile(String, origin: String)
  case changedWhileReading(String)
  case missingBase(Platform)
  case baseLayerCount(base: String, layers: Int, diffIDs: Int)
  case baseHistoryCount(base: String, layers: Int, steps: Int)
  case unreadBaseFile(ImagePath)
  /// An account whose name the base has with other numbers.
  case accountConflict(String, file: ImagePath, expected: String, found: String, origin: String)
  /// Members of a group that the base has without them.
  case missingMembers([String], group: String, file: ImagePath, origin: String)
  case wrongMachine(ImagePath, expected: String, found: String, origin: String)

  package var kind: FailureKind {
    switch self {
    case .missingFile: .notFound
    case .missingInput, .missingBase, .unreadBaseFile: .software
    default: .data
    }
  }

  package var description: String {
    switch self {
    case .duplicatePath(let path, let first, let second, let symlink):
      "\(second): \(path.description.quoted) is already there, put by \(first)"
        + (symlink.map { "; the symlink \($0.description.quoted) leads there" } ?? "")
        + "; a layer has one entry a path: remove one of the two or move it to another layer"
    case .belowNonDirectory(let path, let origin, let blocker, let blockerOrigin):
      "\(origin): \(path.description.quoted) cannot lie below \(blocker.description.quoted), which is not a directory (put by \(blockerOrigin))"
    case .danglingSymlink(let path, let symlink, let missing, let origin):
      "\(origin): \(path.description.quoted): the symlink \(symlink.description.quoted) leads to \(missing.description.quoted), which lower layers do not have; add a \"directory\" entry for it, or remove the symlink"
    case .symlinkLoop(let path, let symlink, let origin):
      "\(origin): \(path.description.quoted): expected at most \(MergedTree.maximumSymlinkCount) symlinks on the way, found more at \(symlink.description.quoted)"
    case .directoryOnSymlink(let path, let target, let origin):
      "\(origin): \(path.description.quoted): expected a directory or nothing there, found a symlink of a lower layer that leads to \(target.description.quoted), which is a file; remove the symlink, too"
    case .nothingToRemove(let path, _, isInSameLayer: true, let origin):
      "\(origin): removing \(path.description.quoted): expected it in a lower layer, found it in this one only; leave it out there"
    case .nothingToRemove(let path, let suggestion, _, let origin):
      "\(origin): removing \(path.description.quoted): expected it in a lower layer, found nothing there"
        + (suggestion.map { "; did you mean \($0.description.quoted)?" } ?? "")
    case .missingHardlinkTarget(let path, let target, let lower, let origin):
      "\(origin): hardlink \(path.description.quoted): expected a file \(target.description.quoted) in the same layer, found "
        + (lower.map {
          "it in a lower one (put by \($0)), where hardlinks do not reach; use a symlink, or put the file into this layer, too"
        } ?? "none")
    case .hardlinkCycle(let path, let origin):
      "\(origin): hardlink \(path.description.quoted) leads back to itself"
    case .unsupportedKind(let path, let found, let origin):
      "\(origin): \(path.quoted) is \(found); expected a file, a directory or a symlink"
    case .notAFile(let path, let found, let origin):
      "\(origin): \(path.quoted) is \(found), expected a file"
        + (found == "a directory" ? "; \"tree\" takes directories" : "")
    case .hostileMember(let archive, let problem, let origin):
      "\(origin): archive \(archive.quoted): \(problem)"
    case .reservedName(let path, let origin):
      "\(origin): \(path.description.quoted): names that begin with \".wh.\" delete files in an image; rename it"
    case .notADirectory(let path, let origin):
      "\(origin): \(path.quoted): expected a directory"
    case .missingInput(let name, let origin):
      "\(origin): input \(name.quoted) was not resolved"
    case .missingFile(let path, let origin):
      "\(origin): reading \(path.quoted): no such file"
    case .changedWhileReading(let path):
      "reading \(path.quoted): the file changed while it was packed; assemble again when nothing writes to it"
    case .missingBase(let platform): "the base for \(platform) was not resolved"
    case .baseLayerCount(let base, let layers, let diffIDs):
      "base \(base): expected one DiffID in its config for each of its \(layers) layers, found \(diffIDs)"
    case .baseHistoryCount(let base, let layers, let steps):
      "base \(base): expected at most \(layers) steps with a layer in its history, as many as it has layers, found \(steps)"
    case .unreadBaseFile(let path):
      "the base's \(path.description.quoted) was not read"
    case .accountConflict(let account, let file, let expected, let found, let origin):
      "\(origin): \(account.printable) has \(found.printable) in the base's \(file.description.quoted), expected \(expected); take the base's numbers or another name"
    case .missingMembers(let members, let group, let file, let origin):
      "\(origin): group \(group.quoted) is in the base's \(file.description.quoted) without \(members.map(\.quoted).joined(separator: ", ")); a group that is there gets no members: leave them out, or write the file as an entry of a layer"
    case .wrongMachine(let path, let expected, let found, let origin):
      "\(origin): \(path.description.quoted) is an executable for \(found), expected one for \(expected); take the right file, or give it mode \"0644\" where it is data"
    }
  }
}
