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

  private let platform: Platform

  package init(platform: Platform) { self.platform = platform }

  /// - Returns: the dynamic executables among them.
  /// - Throws: a ``FailureList`` with every executable for another machine.
  package func check(_ layers: [LayerPlan]) throws -> [Dynamic] {
    var failures: [any Failure] = []
    var dynamic: [Dynamic] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ELF.prefixSize, alignment: 16)
    defer { buffer.deallocate() }
    for entry in layers.flatMap(\.entries) where entry.mode & 0o111 != 0 {
      guard let count = try readPrefix(of: entry, into: buffer),
        let elf = ELF(prefix: UnsafeRawBufferPointer(rebasing: buffer[..<count])), elf.isLoadable
      else { continue }
      if !elf.runs(on: platform) {
        failures.append(
          AssemblyError.wrongMachine(
            entry.path, expected: platform.description, found: elf.architecture,
            origin: entry.origin))
      } else if let range = elf.interpreterRange, range.upperBound <= count {
        let name = String(decoding: buffer[range], as: UTF8.self)
        dynamic.append(Dynamic(path: entry.path, interpreter: name, origin: entry.origin))
      }
    }
    guard failures.isEmpty else { throw FailureList(failures) }
    return dynamic
  }

  private func readPrefix(
    of entry: PlannedEntry, into buffer: UnsafeMutableRawBufferPointer
  ) throws -> Int? {
    guard case .file(let size) = entry.kind, size >= 52 else { return nil }
    switch entry.content {
    case .none, .bytes: return nil
    case .slice(let spool, let offset):
      return min(try spool.read(at: offset, into: buffer), Int(clamping: size))
    case .file(let path):
      let file = try FileSystem.open(path, .readOnly, doing: "reading")
      defer { try? file.close() }
      return try FileSystem.read(file, into: buffer, path: path)
    }
  }
}
