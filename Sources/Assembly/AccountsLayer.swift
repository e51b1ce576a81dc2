import Bindings
import Definition
import OCILayout
import OCISpec
import Reporting

extension Accounts {
  /// The layer that holds these users and groups: `/etc/passwd` and `/etc/group`, in the order of the
  /// definition. On a base, what its files lack is appended to them, and they keep their modes and owners.
  ///
  /// - Returns: `nil` where the base has them all.
  /// - Throws: a ``FailureList`` with every account that the base has otherwise.
  func layer(
    on lower: LowerTree, of base: ResolvedBase?, location: SourceLocation
  ) throws -> LayerDefinition? {
    let origin = location.description
    var failures: [any Failure] = []
    var entries: [LayerEntry] = []
    for file in try [passwd(origin), group(origin)] {
      do {
        entries += try file.entry(on: lower, of: base, location, &failures).map { [$0] } ?? []
      } catch let failure as any Failure { failures.append(failure) }
    }
    guard failures.isEmpty else { throw FailureList(failures) }
    guard base == nil || !entries.isEmpty else { return nil }
    return LayerDefinition(name: "accounts", entries: entries, location: location)
  }

  private func passwd(_ origin: String) throws -> AccountFile {
    let path = try ImagePath(absolute: "/etc/passwd")
    return AccountFile(
      path: path,
      accounts: users.map { user in
        AccountFile.Account(
          name: user.name,
          line: "\(user.name):x:\(user.uid):\(user.gid)::\(user.home):\(user.shell)\n"
        ) { fields in
          let found = fields.dropFirst(2).prefix(2).joined(separator: ":")
          let expected = "\(user.uid):\(user.gid)"
          return found == expected
            ? nil
            : .accountConflict(
              "user \"\(user.name)\"", file: path, expected: expected, found: found, origin: origin)
        }
      })
  }

  private func group(_ origin: String) throws -> AccountFile {
    let path = try ImagePath(absolute: "/etc/group")
    return AccountFile(
      path: path,
      accounts: groups.map { group in
        AccountFile.Account(
          name: group.name,
          line: "\(group.name):x:\(group.gid):\(group.members.joined(separator: ","))\n"
        ) { fields in
          let found = fields.count > 2 ? fields[2] : ""
          guard found == "\(group.gid)" else {
            return .accountConflict(
              "group \"\(group.name)\"", file: path, expected: "\(group.gid)", found: found,
              origin: origin)
          }
          let present = fields.count > 3 ? fields[3].split(separator: ",").map(String.init) : []
          let missing = group.members.filter { !present.contains($0) }
          return missing.isEmpty
            ? nil
            : .missingMembers(missing, group: group.name, file: path, origin: origin)
        }
      })
  }
}

/// `/etc/passwd` or `/etc/group`, and what is to be in it.
private struct AccountFile {
  struct Account {
    let name: String
    let line: String
    /// What is wrong with the fields that the base has for this name.
    let problem: (_ fields: [String]) -> AssemblyError?
  }

  let path: ImagePath
  let accounts: [Account]

  /// - Returns: `nil` where nothing is to be written.
  func entry(
    on lower: LowerTree, of base: ResolvedBase?, _ location: SourceLocation,
    _ failures: inout [any Failure]
  ) throws -> LayerEntry? {
    var entry = LayerEntry(path: path, content: .text([]), location: location)
    var content: [UInt8] = []
    if let base {
      if accounts.isEmpty { return nil }
      var resolver = PathResolver(lower)
      let place = try resolver.target(of: .init(path: path, origin: location.description))
      if let inode = place.node?.inode {
        guard case .file = inode.header.kind else {
          throw AssemblyError.notAFile(
            path.description, found: "no file in the base", origin: location.description)
        }
        guard let bytes = base.files[path] else { throw AssemblyError.unreadBaseFile(path) }
        content = bytes
        entry.attributes.mode = inode.header.mode
        entry.attributes.owner = Owner(uid: inode.header.uid, gid: inode.header.gid)
      }
      entry.path = place.path
    }
    let present = fields(in: content)
    let missing = accounts.filter { present[$0.name] == nil }
    failures += accounts.compactMap { account in
      present[account.name].flatMap { account.problem($0) }
    }
    if base != nil && missing.isEmpty { return nil }
    if let last = content.last, last != UInt8(ascii: "\n") { content.append(UInt8(ascii: "\n")) }
    entry.content = .text(content + missing.flatMap(\.line.utf8))
    return entry
  }

  /// The fields of the first line of each name, as the C library finds it.
  private func fields(in content: [UInt8]) -> [String: [String]] {
    var found: [String: [String]] = [:]
    for line in content.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
      if let name = fields.first, found[name] == nil { found[name] = fields }
    }
    return found
  }
}
