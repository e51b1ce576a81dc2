import Definition
package import OCISpec
package import Reporting

/// What is wrong with the files that an image is made of. `origin` is a place in the definition.
package enum AssemblyError: Failure, Equatable {
  case duplicatePath(ImagePath, first: String, second: String)
  case belowNonDirectory(ImagePath, origin: String, blocker: ImagePath, blockerOrigin: String)
  case missingHardlinkTarget(ImagePath, target: ImagePath, origin: String)
  case hardlinkCycle(ImagePath, origin: String)
  case unsupportedKind(String, found: String, origin: String)
  case notAFile(String, found: String, origin: String)
  case hostileMember(archive: String, problem: String, origin: String)
  case reservedName(ImagePath, origin: String)
  case notADirectory(String, origin: String)
  case missingInput(String, origin: String)
  case missingFile(String, origin: String)
  case changedWhileReading(String)
  case wrongMachine(ImagePath, expected: String, found: String, origin: String)

  package var kind: FailureKind {
    switch self {
    case .missingFile: .notFound
    case .missingInput: .software
    default: .data
    }
  }

  package var description: String {
    switch self {
    case .duplicatePath(let path, let first, let second):
      "\(second): \(path.description.quoted) is already there, put by \(first); a layer has one entry a path: remove one of the two or move it to another layer"
    case .belowNonDirectory(let path, let origin, let blocker, let blockerOrigin):
      "\(origin): \(path.description.quoted) cannot lie below \(blocker.description.quoted), which is not a directory (put by \(blockerOrigin))"
    case .missingHardlinkTarget(let path, let target, let origin):
      "\(origin): hardlink \(path.description.quoted): expected a file \(target.description.quoted) in the same layer, found none"
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
    case .wrongMachine(let path, let expected, let found, let origin):
      "\(origin): \(path.description.quoted) is an executable for \(found), expected one for \(expected); take the right file, or give it mode \"0644\" where it is data"
    }
  }
}
