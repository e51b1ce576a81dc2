import Bindings
import OCILayout
package import OCISpec
import Reporting
import SystemPackage

/// Looks at the executables of an image before it is packed: each must be for the platform, and what loads it
/// must be in the image.
package struct ExecutableCheck {
  /// A dynamic executable and the loader that the kernel will look for.
  package struct Dynamic: Sendable, Equatable {
    package let path: ImagePath
    package let interpreter: String
    let origin: String
  }

  package struct Findings: Sendable {
    package var dynamic: [Dynamic] = []
    /// Executables for another machine that the definition does not name: a tree or an archive may hold such
    /// on purpose.
    package var foreign: [AssemblyError] = []
  }

  private let platform: Platform

  package init(platform: Platform) { self.platform = platform }

  /// - Throws: a ``FailureList`` with every executable for another machine that the definition names.
  package func check(_ layers: [LayerPlan]) throws -> Findings {
    var failures: [any Failure] = []
    var findings = Findings()
    for entry in layers.flatMap(\.entries) where entry.mode & 0o111 != 0 {
      guard let elf = try elf(of: entry), elf.isLoadable else { continue }
      if !elf.runs(on: platform) {
        let failure = AssemblyError.wrongMachine(
          entry.path, expected: platform.description, found: elf.architecture, origin: entry.origin)
        if entry.isDeclared { failures.append(failure) } else { findings.foreign.append(failure) }
      } else if let interpreter = elf.interpreter {
        findings.dynamic.append(
          Dynamic(path: entry.path, interpreter: interpreter, origin: entry.origin))
      }
    }
    guard failures.isEmpty else { throw FailureList(failures) }
    return findings
  }

  private func elf(of entry: PlannedEntry) throws -> ELF? {
    guard case .file(let size) = entry.kind, size >= 52 else { return nil }
    switch entry.content {
    case .none, .bytes: return nil
    case .slice(let spool, let start):
      return try ELF { offset, count in
        let count = Int(clamping: min(Int64(count), size - min(size, offset)))
        return try Self.bytes(count) { try spool.read(at: start + offset, into: $0) }
      }
    case .file(let path):
      let file = try FileSystem.open(path, .readOnly, doing: "reading")
      defer { try? file.close() }
      return try ELF { offset, count in
        try Self.bytes(count) {
          try FileSystem.read(file, at: offset, into: $0, path: path)
        }
      }
    }
  }

  private static func bytes(
    _ count: Int, read: (UnsafeMutableRawBufferPointer) throws -> Int
  ) rethrows -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let found = try bytes.withUnsafeMutableBytes { try count > 0 ? read($0) : 0 }
    return Array(bytes.prefix(found))
  }
}
