extension Secret {
  /// Whether it may be the password of a user: no NUL and one line, as it may end in a header. Google's
  /// registries take a service account's whole key, a JSON document of many lines, as that of `_json_key`
  /// (https://cloud.google.com/artifact-registry/docs/docker/authentication#json-key).
  package func isPassword(of user: String) -> Bool {
    user == "_json_key" ? !reveal().utf8.contains(0) : !reveal().hasControls
  }
}

extension String {
  /// Whether it could end one header and begin another.
  var hasControls: Bool { utf8.contains { $0 == 0x0D || $0 == 0x0A || $0 == 0 } }
}
