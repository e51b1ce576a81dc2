import Bindings
import Reporting
import SystemPackage

/// The profiles of the AWS command line's two files, merged.
struct AWSProfiles: Sendable {
  private var profiles: [String: [String: String]] = [:]
  /// The files that were looked for.
  private(set) var files: [String] = []
  /// Why a file that nobody named was passed over.
  private(set) var skipped: [String] = []

  subscript(name: String) -> [String: String]? { profiles[name] }

  /// Reads `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/config` and
  /// `~/.aws/credentials`. Settings of the latter win.
  /// - Throws: ``AWSError/malformedFile(path:line:problem:)``, or `FileError` where a file that a variable
  ///   names cannot be read.
  init(_ surroundings: AWSSurroundings) async throws {
    let home = surroundings.variable("HOME")
    for (variable, name) in [
      ("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
    ] {
      let named = surroundings.variable(variable)
      guard
        let path = named.map({ Self.expanding($0, home: home) })
          ?? home.map({ "\($0)/.aws/\(name)" })
      else { continue }
      files.append(path)
      let bytes: [UInt8]
      do {
        guard let found = try await surroundings.contents(of: FilePath(path)) else { continue }
        bytes = found
      } catch let error as FileError {
        // A container's HOME is often somebody else's.
        guard named == nil, error.errno == .permissionDenied else { throw error }
        skipped.append("\(error)")
        continue
      }
      let file = try AWSConfigFile(parsing: bytes, path: path)
      for (section, settings) in file.sections.sorted(by: { $0.key < $1.key }) {
        guard let profile = name == "config" ? Self.profile(in: section) : section else { continue }
        // `[profile default]` comes after `[default]` here, and wins over it.
        profiles[profile, default: [:]].merge(settings) { _, new in new }
      }
    }
  }

  /// The profile of a section of the config file: `default`, `profile x` or `profile "x y"`.
  private static func profile(in section: String) -> String? {
    if section == "default" { return section }
    let rest = section.dropFirst("profile".count)
    guard section.hasPrefix("profile"), rest.first?.isWhitespace == true else { return nil }
    let name = rest.trimmed
    let isQuoted =
      name.count >= 2 && (name.first == "\"" || name.first == "'") && name.last == name.first
    return isQuoted ? String(name.dropFirst().dropLast()) : name
  }

  private static func expanding(_ path: String, home: String?) -> String {
    guard let home, path.hasPrefix("~/") else { return path }
    return home + path.dropFirst()
  }
}
