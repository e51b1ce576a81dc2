import Definition
import OCISpec

extension Accounts {
  /// The layer that holds these users and groups: `/etc/passwd` and `/etc/group`, in the order of the
  /// definition.
  func layer(location: SourceLocation) throws -> LayerDefinition {
    let passwd = users.map { user in
      "\(user.name):x:\(user.uid):\(user.gid)::\(user.home):\(user.shell)\n"
    }
    let group = groups.map { group in
      "\(group.name):x:\(group.gid):\(group.members.joined(separator: ","))\n"
    }
    let files = [("/etc/passwd", passwd.joined()), ("/etc/group", group.joined())]
    return LayerDefinition(
      name: "accounts",
      entries: try files.map { path, text in
        LayerEntry(
          path: try ImagePath(absolute: path), content: .text(Array(text.utf8)),
          attributes: EntryAttributes(), location: location)
      }, location: location)
  }
}
