import Bindings
package import OCISpec
package import SystemPackage
import Workers

/// Where credentials are put and taken away: the files of ``CredentialPlaces``, and the helpers that they name.
package struct CredentialStore: Sendable {
  private let places: CredentialPlaces
  private let searchPath: String
  private let limits: HelperLimits

  package init(
    authFile: FilePath?, environment: (String) -> String?, limits: HelperLimits = HelperLimits()
  ) {
    places = CredentialPlaces(authFile: authFile, environment: environment)
    searchPath = environment("PATH") ?? ""
    self.limits = limits
  }

  /// Where credentials are stored: the first file that the user named, else the first one that there is, else
  /// docker's. So no file that is asked earlier hides what is stored.
  private func target() throws -> (place: CredentialPlace, path: FilePath) {
    let files = places.all.filter { $0.path != nil && !$0.isLegacy }
    let found = files.first { place in
      // What cannot be looked at is not read either.
      (try? place.path.flatMap { try FileSystem.status(of: $0) }) != nil
    }
    let place = places.all.first { $0.isNamed && $0.path != nil } ?? found ?? places.docker
    guard let path = place.path else { throw CredentialError.noFile }
    return (place, path)
  }

  /// Stores a user's name and password for a registry, in the helper that the file names for it where there is
  /// one.
  /// - Returns: the file, or the helper program, that has it now.
  package func store(
    user: String, password: Secret, for registry: Registry
  ) async throws -> String {
    let (place, path) = try target()
    let name = path.string
    let helper = try await withBlockingWork { () -> CredentialHelper? in
      guard try FileSystem.status(of: path) != nil,
        case .file(let file) = try place.load(warn: { _ in })
      else { return nil }
      return try self.helper(of: file, for: registry)
    }
    try await helper?.store(user: user, password: password, for: registry, limits: limits)
    try await withBlockingWork {
      try SecretFile.change(path) { bytes in
        try CredentialFile(parsing: bytes ?? [], name: name, isLegacy: place.isLegacy)
          .setting(helper == nil ? (user, password) : nil, for: registry)
      }
    }
    return helper?.program ?? name
  }

  /// Takes a registry's credential out of the first place that has one, or out of all.
  /// - Returns: the files and helper programs that had one.
  package func erase(_ registry: Registry, fromAll: Bool) async throws -> [String] {
    var gone: [String] = []
    for place in places.all where place.path != nil {
      gone += try await erase(registry, from: place)
      if !gone.isEmpty && !fromAll { break }
    }
    return gone
  }

  private func erase(_ registry: Registry, from place: CredentialPlace) async throws -> [String] {
    guard let path = place.path,
      case .file(let file) = try await withBlockingWork({ try place.load { _ in } })
    else { return [] }
    var gone: [String] = []
    if let helper = try helper(of: file, for: registry),
      try await helper.get(registry, limits: limits) != nil
    {
      try await helper.erase(registry, limits: limits)
      gone.append(helper.program)
    }
    guard file.removing(registry) != nil else { return gone }
    let hadEntry = try await withBlockingWork {
      var hadEntry = false
      try SecretFile.change(path) { bytes in
        let file = try CredentialFile(
          parsing: bytes ?? [], name: path.string, isLegacy: place.isLegacy)
        guard let (rest, keys) = file.removing(registry) else { return nil }
        hadEntry = keys.contains {
          CredentialEntry(file.entries[$0]?.objectValue)?.isEmpty == false
        }
        return rest
      }
      return hadEntry
    }
    return gone + (hadEntry ? [path.string] : [])
  }

  private func helper(
    of file: CredentialFile, for registry: Registry
  ) throws -> CredentialHelper? {
    try file.helper(for: registry).map { name, member in
      try CredentialHelper(name, file: file.name, member: member, searchPath: searchPath)
    }
  }
}
