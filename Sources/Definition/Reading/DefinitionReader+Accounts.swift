import OCISpec
import Reporting

extension DefinitionReader {
  /// Accounts are the same on all platforms and nothing in them is expanded.
  func readAccounts(_ value: Located) -> Accounts? {
    guard let members = Members(value, .accounts, expected: "a map with \"users\" and \"groups\"")
    else { return nil }
    let users = (members["users"]?.elements() ?? []).compactMap { readUser($0) }
    let groups = (members["groups"]?.elements() ?? []).compactMap { readGroup($0) }
    complainAboutRepeatedNames(users)
    complainAboutRepeatedNames(groups)
    return Accounts(users: users.map(\.account), groups: groups.map(\.account))
  }

  /// An account with the place of its name.
  private struct Placed<Account> {
    let account: Account
    let name: String
    let place: Located
  }

  private func readUser(_ value: Located) -> Placed<Accounts.User>? {
    guard let members = Members(value, .user, expected: "a map with \"name\" and \"uid\""),
      let place = members["name"]
    else { return nil }
    let name = accountName(place)
    let uid = members["uid"].flatMap { readID($0) }
    let gid = members["gid"].flatMap { readID($0) }
    let home = members["home"].flatMap { field($0) }
    let shell = members["shell"].flatMap { field($0) }
    guard let name, let uid else { return nil }
    var user = Accounts.User(name: name, uid: uid, gid: gid)
    if let home { user.home = home }
    if let shell { user.shell = shell }
    return Placed(account: user, name: name, place: place)
  }

  private func readGroup(_ value: Located) -> Placed<Accounts.Group>? {
    guard let members = Members(value, .group, expected: "a map with \"name\" and \"gid\""),
      let place = members["name"]
    else { return nil }
    let name = accountName(place)
    let gid = members["gid"].flatMap { readID($0) }
    let users = (members["members"]?.elements() ?? []).map { accountName($0) }
    guard let name, let gid, !users.contains(nil) else { return nil }
    let group = Accounts.Group(name: name, gid: gid, members: users.compactMap { $0 })
    return Placed(account: group, name: name, place: place)
  }

  private func complainAboutRepeatedNames(_ accounts: [Placed<some Any>]) {
    var places: [String: Located] = [:]
    for account in accounts {
      if let first = places[account.name] {
        account.place.complain(
          "expected each name once, found \(account.name.quoted) again; the first is at \(first.position)"
        )
      } else {
        places[account.name] = account.place
      }
    }
  }

  /// A trailing `$` is how Samba calls machines.
  private func accountName(_ value: Located) -> String? {
    value.parsed("a name of letters, digits, \".\", \"_\" and \"-\"") { text in
      let name = text.hasSuffix("$") ? text.dropLast() : text[...]
      let isPlain = name.utf8.allSatisfy { $0.isLetter || $0.isDigit || "._-".utf8.contains($0) }
      return !name.isEmpty && isPlain && !name.hasPrefix("-") && !name.hasPrefix(".") ? text : nil
    }
  }

  private func readID(_ value: Located) -> Int64? {
    value.integer("a number from 0 to \(ObjectShape.maximumID)", in: 0...ObjectShape.maximumID)
  }

  /// An absolute path that can stand between the colons of `/etc/passwd`.
  private func field(_ value: Located) -> String? {
    guard let text = value.line("an absolute path") else { return nil }
    if text.hasPrefix("/") && !text.utf8.contains(UInt8(ascii: ":")) { return text }
    value.complain("expected an absolute path without \":\", found \(text.quoted)")
    return nil
  }
}
