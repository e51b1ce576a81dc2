import Bindings
package import OCISpec
import Reporting
package import SystemPackage

extension ImageDefinition {
  /// The name of a definition in its folder.
  package static let fileName = "image.yaml"

  /// Reads a definition for all its platforms, or for those of `platforms` alone.
  ///
  /// - Parameters:
  ///   - path: an `image.yaml` or a folder that holds one.
  ///   - overrides: values for parameters of the definition.
  ///   - platforms: those to read it for; `nil` and none mean all that the definition names.
  /// - Throws: ``DefinitionError``, a `FailureList` of them, or the `FileError` of reading the file.
  package static func load(
    _ path: FilePath, overrides: [String: String] = [:], platforms: [Platform]? = nil
  ) throws -> ImageDefinition {
    let isFolder = try FileSystem.status(of: path)?.kind == .directory
    let file = isFolder ? path.appending(fileName) : path
    guard try FileSystem.status(of: file) != nil else { throw DefinitionError.missing(file) }
    let bytes = try FileSystem.readAll(file, limit: YAML.maximumByteCount)
    return try parse(bytes, file: file, overrides: overrides, platforms: platforms)
  }

  /// Reads a definition's text; `file` is what messages call it and where relative paths start from.
  package static func parse(
    _ bytes: [UInt8], file: FilePath, overrides: [String: String] = [:],
    platforms: [Platform]? = nil
  ) throws -> ImageDefinition {
    let root: YAMLNode
    do {
      let empty = YAMLNode(
        value: .scalar(text: "", isPlain: true), position: TextPosition(line: 1, column: 1))
      // Editors on Windows begin a file with one; it would count as a column.
      let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
      let text = bytes.starts(with: byteOrderMark) ? Array(bytes.dropFirst(3)) : bytes
      root = try YAML.parse(text) ?? empty
    } catch {
      let complaint = Complaint(error.position, error.problem)
      throw DefinitionError.invalid(file: file, complaints: [complaint])
    }
    let reader = DefinitionReader(
      file: file, overrides: overrides, requested: platforms.flatMap { $0.isEmpty ? nil : $0 })
    return try reader.read(root)
  }
}
