/// What a token is to allow: distribution's token scope, `repository:<path>:<actions>`.
package struct TokenScope: Sendable, Hashable {
  package var path: String
  package var actions: Set<String>

  package init(path: String, actions: Set<String>) {
    self.path = path
    self.actions = actions
  }
}
