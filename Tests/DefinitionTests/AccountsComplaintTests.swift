import Definition
import Testing

@Suite("Complaints about accounts")
struct AccountsComplaintTests {
  @Test("every mistake is named with its place, once", arguments: cases)
  func complaints(_ example: ComplaintCase) { example.check() }

  static let cases: [ComplaintCase] = [
    ComplaintCase(
      "accounts without what they need",
      after: #"""
        accounts: { users: [{ uid: 1 }, { name: a }], groups: [{ name: b }] }
        """#,
      [
        #"image.yaml:4:21: users[0]: expected the key "name", found none"#,
        #"image.yaml:4:33: users[1]: expected the key "uid", found none"#,
        #"image.yaml:4:56: groups[0]: expected the key "gid", found none"#,
      ]),
    ComplaintCase(
      "names with a colon or a newline",
      after: #"""
        accounts: { users: [{ name: "a:b", uid: 1 }], groups: [{ name: "a\nb", gid: 1, members: ["c,d"] }] }
        """#,
      [
        #"image.yaml:4:29: name: expected a name of letters, digits, ".", "_" and "-", found "a:b""#,
        #"image.yaml:4:64: name: expected a name of letters, digits, ".", "_" and "-", found "a\u{a}b""#,
        #"image.yaml:4:90: members[0]: expected a name of letters, digits, ".", "_" and "-", found "c,d""#,
      ]),
    ComplaintCase(
      "names twice",
      after: #"""
        accounts:
          users: [{ name: a, uid: 1 }, { name: a, uid: 2 }]
          groups: [{ name: a, gid: 1 }, { name: a, gid: 2 }]
        """#,
      [
        #"image.yaml:5:40: name: expected each name once, found "a" again; the first is at 5:19"#,
        #"image.yaml:6:41: name: expected each name once, found "a" again; the first is at 6:20"#,
      ]),
    ComplaintCase(
      "numbers that are quoted or too large",
      after: #"""
        accounts: { users: [{ name: a, uid: "1" }, { name: b, uid: 4294967295 }] }
        """#,
      [
        #"image.yaml:4:37: uid: expected a number from 0 to 4294967294, found the text "1"; write it without quotes"#,
        #"image.yaml:4:60: uid: expected a number from 0 to 4294967294, found the integer 4294967295"#,
      ]),
    ComplaintCase(
      "a home that is not absolute and a shell with a colon",
      after: #"""
        accounts: { users: [{ name: a, uid: 1, home: srv, shell: "/bin/a:b" }] }
        """#,
      [
        #"image.yaml:4:46: home: expected an absolute path without ":", found "srv""#,
        #"image.yaml:4:58: shell: expected an absolute path without ":", found "/bin/a:b""#,
      ]),
  ]
}
