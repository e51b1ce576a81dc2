import Bindings
import OCISpec
import Reporting

/// A YAML node with what is needed to complain about it. Every reader returns `nil` after a complaint, so
/// that reading goes on and one run finds all of them.
struct Located {
  let node: YAMLNode
  /// What messages call it: its key, or its list's with an index.
  let name: String
  let scope: Scope
  let complaints: Complaints

  var position: TextPosition { node.position }

  func with(_ scope: Scope) -> Located {
    Located(node: node, name: name, scope: scope, complaints: complaints)
  }

  func complain(_ text: String, at place: TextPosition? = nil) {
    complaints.add(Complaint(place ?? position, name.isEmpty ? text : "\(name): \(text)"))
  }

  /// Complains that this is not what is expected and says what it is.
  func mismatch(_ expected: String) { complain("expected \(expected), found \(found)") }

  /// What stands here, for the second half of a complaint.
  var found: String {
    switch node.value {
    case .sequence: return "a list"
    case .mapping: return "a map"
    case .scalar(let text, isPlain: false): return "the text \(text.quoted)"
    case .scalar(let text, isPlain: true):
      switch PlainScalar(text) {
      case .null: return text.isEmpty ? "nothing" : "null"
      case .boolean: return "the boolean \(text)"
      case .integer: return "the integer \(text)"
      case .float: return "the number \(text)"
      case .text: return "the text \(text.quoted)"
      }
    }
  }

  /// The scalar that stands here before expansion, and what it means.
  var scalar: (text: String, meaning: PlainScalar)? {
    guard case .scalar(let text, let isPlain) = node.value else { return nil }
    return (text, isPlain ? PlainScalar(text) : .text)
  }

  var isNull: Bool { scalar?.meaning == .null }
  var isMap: Bool { if case .mapping = node.value { true } else { false } }

  func elements(expected: String = "a list") -> [Located]? {
    guard case .sequence(let nodes) = node.value else {
      mismatch(expected)
      return nil
    }
    return nodes.enumerated().map { index, node in
      Located(node: node, name: "\(name)[\(index)]", scope: scope, complaints: complaints)
    }
  }

  /// A member of a map. The key is never expanded.
  struct Member {
    let key: String
    let keyPosition: TextPosition
    let value: Located
  }

  /// The members of a map in the order written; of keys that repeat, the first.
  func pairs(expected: String = "a map", childName: (String) -> String) -> [Member]? {
    guard case .mapping(let nodes) = node.value else {
      mismatch(expected)
      return nil
    }
    var members: [Member] = []
    var places: [String: TextPosition] = [:]
    for (keyNode, valueNode) in nodes {
      let keyReader = Located(
        node: keyNode, name: "key of \(name.isEmpty ? "the definition" : name)", scope: .literal,
        complaints: complaints)
      guard let key = keyReader.text() else { continue }
      if let first = places[key] {
        complain(
          "expected each key once, found \(key.quoted) again; the first is at \(first)",
          at: keyNode.position)
        continue
      }
      places[key] = keyNode.position
      let value = Located(
        node: valueNode, name: childName(key.printable), scope: scope, complaints: complaints)
      members.append(Member(key: key, keyPosition: keyNode.position, value: value))
    }
    return members
  }

  /// The first value of a key, without any complaint; `nil` where there is none.
  func member(_ key: String) -> YAMLNode? {
    guard case .mapping(let members) = node.value else { return nil }
    for (name, value) in members {
      if case .scalar(key, _) = name.value { return value }
    }
    return nil
  }

  /// The members of a map whose keys the definition's author chooses.
  func entries() -> [Member]? { pairs { "\(name).\($0)" } }

  /// This value, or, where it is a map by platform, the one for the platform that is being read.
  func forPlatform() -> Located? {
    guard isMap, case .image(let scope) = scope else { return self }
    guard let members = entries() else { return nil }
    var choices: [(platform: Platform, value: Located)] = []
    for member in members {
      do {
        let platform = try Platform(parsing: member.key)
        if let declared = scope.declared, !declared.contains(platform) {
          complain(
            "expected a platform of the definition, found \(member.key.quoted)\(hint(member.key, declared.map(\.description)))",
            at: member.keyPosition)
        }
        choices.append((platform, member.value))
      } catch { complain("\(error)", at: member.keyPosition) }
    }
    guard let platform = scope.platform else { return choices.first?.value }
    if let choice = choices.first(where: { $0.platform == platform }) { return choice.value }
    let known = choices.map(\.platform.description)
    complain(
      "expected a value for \(platform.description.quoted), found \(known.isEmpty ? "none" : "only \(known.list)")"
    )
    return nil
  }
}
