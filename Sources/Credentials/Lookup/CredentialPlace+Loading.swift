import Bindings
import Reporting
import SystemPackage

/// A place with what was read there.
enum LoadedPlace {
  case file(CredentialFile)
  /// Nothing to ask, and why.
  case absent(String)
}

extension CredentialPlace {
  /// Reads the place. A file that need not exist may also be closed to us.
  ///
  /// - Parameter warn: told what is worth mending.
  func load(warn: (String) -> Void) throws -> LoadedPlace {
    switch content {
    case .none(let reason): return .absent(reason)
    case .text(let text): return .file(try CredentialFile(parsing: Array(text.utf8), name: name))
    case .file(let path):
      let bytes: [UInt8]
      do { bytes = try FileSystem.readAll(path, limit: CredentialFile.byteLimit) } catch {
        switch error.errno {
        case .noSuchFileOrDirectory where !mustExist, .notDirectory where !mustExist:
          return .absent("no such file")
        case .permissionDenied where !mustExist:
          warn("\(error); credentials in it are not used")
          return .absent("permission denied")
        default: throw ContextualFailure("credentials of \(name)", error)
        }
      }
      let file = try CredentialFile(parsing: bytes, name: path.string, isLegacy: isLegacy)
      if file.holdsSecrets, let status = try FileSystem.status(of: path), status.kind == .file,
        status.mode & 0o004 != 0
      {
        warn("credentials in \(path.string.quoted) can be read by everyone; chmod 600 it")
      }
      return .file(file)
    }
  }
}
