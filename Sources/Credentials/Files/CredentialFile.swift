import OCISpec
import Reporting

/// What a credential file says: docker's `config.json`, podman's `auth.json`, the older `.dockercfg`
/// (registry.md, C.9).
///
/// Its shape is checked as a whole, its secrets only where one is asked for. Of its other members none reaches a
/// registry: docker's `HttpHeaders` are for the daemon, its `proxies` for containers.
package struct CredentialFile: Sendable {
  /// As people know it: a path, or a variable that holds the text.
  package let name: String
  let root: JSONObject
  let isLegacy: Bool

  /// More is no credential file.
  package static let byteLimit = 8 << 20

  /// - Parameter isLegacy: whether the entries stand at the top, as in `.dockercfg`.
  package init(
    parsing bytes: [UInt8], name: String, isLegacy: Bool = false
  ) throws(CredentialError) {
    self.name = name
    self.isLegacy = isLegacy
    // What `touch` or `/dev/null` gives has no entries; docker takes it, too.
    guard !bytes.allSatisfy({ [0x20, 0x09, 0x0A, 0x0D].contains($0) }) else {
      root = JSONObject()
      return
    }
    let value: JSON
    do { value = try JSON(parsing: bytes) } catch { throw .malformedFile(name, "\(error)") }
    guard let object = value.objectValue else {
      throw .wrongType(name, [], expected: "an object", found: value.kindName)
    }
    root = object
    try checkTypes()
  }

  private func checkTypes() throws(CredentialError) {
    for (key, value) in try object("auths")?.members ?? [] {
      let path = isLegacy ? [key] : ["auths", key]
      guard let entry = value.objectValue else {
        throw .wrongType(name, path, expected: "an object", found: value.kindName)
      }
      for member in ["auth", "username", "password", "identitytoken", "registrytoken"] {
        guard let value = entry[member], value != .null, value.stringValue == nil else { continue }
        throw .wrongType(name, path + [member], expected: "a string", found: value.kindName)
      }
    }
    guard !isLegacy else { return }
    for (key, value) in try object("credHelpers")?.members ?? [] where value.stringValue == nil {
      throw .wrongType(name, ["credHelpers", key], expected: "a string", found: value.kindName)
    }
    if let store = root["credsStore"], store != .null, store.stringValue == nil {
      throw .wrongType(name, ["credsStore"], expected: "a string", found: store.kindName)
    }
  }

  /// A member that must be an object where it is there.
  private func object(_ member: String) throws(CredentialError) -> JSONObject? {
    if isLegacy { return member == "auths" ? root : nil }
    guard let value = root[member], value != .null else { return nil }
    guard let object = value.objectValue else {
      throw .wrongType(name, [member], expected: "an object", found: value.kindName)
    }
    return object
  }

  var entries: JSONObject { isLegacy ? root : root["auths"]?.objectValue ?? JSONObject() }

  /// Whether reading it is enough to have a credential.
  package var holdsSecrets: Bool {
    entries.members.contains { CredentialEntry($0.value.objectValue)?.isEmpty == false }
  }
}

extension CredentialFile {
  /// Where in a file a credential for a repository may be.
  enum Candidate {
    /// A program that keeps it, and the member that names it.
    case helper(String, member: String)
    case entry(key: String, CredentialEntry)
  }

  /// The places in the order in which they are asked.
  func candidates(for repository: Repository) -> [Candidate] {
    let keys = RegistryKeys(repository.registry)
    func entries(_ isWanted: (String) -> Bool) -> [Candidate] {
      self.entries.members.compactMap { key, value in
        guard isWanted(key) else { return nil }
        return CredentialEntry(value.objectValue).map { .entry(key: key, $0) }
      }
    }
    let helper = helper(for: repository.registry).map {
      Candidate.helper($0.name, member: $0.member)
    }
    let isOwn =
      helper.map { if case .helper(_, "credHelpers") = $0 { true } else { false } } ?? false
    let namespaces = keys.namespaces(of: repository.path).flatMap { name in entries { $0 == name } }
    return (isOwn ? [helper] : []).compactMap { $0 } + namespaces
      + (isOwn ? [] : [helper]).compactMap { $0 }
      + entries(keys.isExact) + entries { !keys.isExact($0) && keys.isURL($0) }
  }

  /// The helper program that the file gives a registry: its own, else the one for all. An empty name among
  /// `credHelpers` means none.
  func helper(for registry: Registry) -> (name: String, member: String)? {
    guard !isLegacy else { return nil }
    let keys = RegistryKeys(registry)
    let own = root["credHelpers"]?.objectValue?.members.first {
      keys.isExact($0.key) || keys.isURL($0.key)
    }
    if let name = own?.value.stringValue { return name.isEmpty ? nil : (name, "credHelpers") }
    guard let name = root["credsStore"]?.stringValue, !name.isEmpty else { return nil }
    return (name, "credsStore")
  }

  /// The namespaces of a registry that have entries of their own.
  func namespaces(of registry: Registry) -> [String] {
    entries.keys.filter(RegistryKeys(registry).isNamespace)
  }
}
