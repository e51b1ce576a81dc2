import OCISpec

extension CredentialFile {
  /// The file's bytes with an entry under the registry's own key and without its other spellings; all else
  /// stays, in its order.
  ///
  /// - Parameter credential: a user's name and password; `nil` leaves the mark that a helper has it.
  func setting(_ credential: (user: String, password: Secret)?, for registry: Registry) -> [UInt8] {
    let keys = RegistryKeys(registry)
    var entry = JSONObject()
    if let credential {
      let pair = "\(credential.user):\(credential.password.reveal())"
      entry["auth"] = .string(encodedBase64(Array(pair.utf8)))
    }
    var entries = removing(keys, from: self.entries) { $0 != keys.canonical }.rest
    entries[keys.canonical] = .object(entry)
    return bytes(with: entries)
  }

  /// The file's bytes without the registry, and the keys that went; `nil` where it has none.
  func removing(_ registry: Registry) -> (bytes: [UInt8], keys: [String])? {
    let (rest, gone) = removing(RegistryKeys(registry), from: entries) { _ in true }
    return gone.isEmpty ? nil : (bytes(with: rest), gone)
  }

  private func removing(
    _ keys: RegistryKeys, from entries: JSONObject, where isUnwanted: (String) -> Bool
  ) -> (rest: JSONObject, gone: [String]) {
    var rest = entries
    let gone = entries.keys.filter { (keys.isExact($0) || keys.isURL($0)) && isUnwanted($0) }
    for key in gone { rest[key] = nil }
    return (rest, gone)
  }

  private func bytes(with entries: JSONObject) -> [UInt8] {
    var root = entries
    if !isLegacy {
      root = self.root
      root["auths"] = .object(entries)
    }
    return Array(PrettyJSON.encode(.object(root)).utf8)
  }
}
