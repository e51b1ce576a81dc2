import Bindings
import Reporting

/// What a map with fixed keys looks like. The one table behind the parser's checks of keys and the JSON
/// Schema, so that neither knows a key that the other does not.
struct ObjectShape: Sendable {
  struct Key: Sendable {
    let name: String
    let value: ValueShape
    let isRequired: Bool
    /// What the key is for: what an editor shows.
    let help: String

    init(_ name: String, _ value: ValueShape, isRequired: Bool = false, _ help: String) {
      self.name = name
      self.value = value
      self.isRequired = isRequired
      self.help = help
    }
  }

  let keys: [Key]
  /// Exactly one of these is there; empty where there is no such rule.
  var alternatives: [String] = []
  /// Keys that a later version may know, with what to say about them now.
  var later: [String: String] = [:]

  var names: [String] { keys.map(\.name) }
}

/// What a value may look like.
indirect enum ValueShape: Sendable {
  /// `pattern` is an ECMA 262 expression for the whole text; what contains a `$` is taken to be expanded first.
  case text(pattern: String? = nil)
  case integer(ClosedRange<Int64>)
  case constant(Int64)
  case alwaysTrue
  case null
  case list(ValueShape, isEmptyAllowed: Bool = true)
  case map(ValueShape, keys: String? = nil)
  case byPlatform(ValueShape)
  case object(ObjectShape)
  case either([ValueShape])
}

/// The members of a map that an ``ObjectShape`` describes.
struct Members {
  let owner: Located
  let shape: ObjectShape
  private var values: [String: Located] = [:]
  private var keyPositions: [String: TextPosition] = [:]

  /// Complains about keys that are unknown, missing, or exclude each other.
  init?(_ owner: Located, _ shape: ObjectShape, expected: String) {
    self.owner = owner
    self.shape = shape
    guard let members = owner.pairs(expected: expected, childName: { $0 }) else { return nil }
    // Keys that a misspelt one probably stands for are not missing, too.
    var meant: Set<String> = []
    for member in members {
      if shape.names.contains(member.key) {
        values[member.key] = member.value
        keyPositions[member.key] = member.keyPosition
      } else if let reason = shape.later[member.key] {
        owner.complain("\(member.key.quoted) \(reason)", at: member.keyPosition)
        meant.formUnion(shape.alternatives)
      } else {
        owner.complain(
          "expected a known key, found \(member.key.quoted)\(hint(member.key, shape.names))",
          at: member.keyPosition)
        if let nearest = member.key.nearest(in: shape.names) { meant.insert(nearest) }
      }
    }
    for key in shape.keys
    where key.isRequired && values[key.name] == nil && !meant.contains(key.name) {
      owner.complain("expected the key \(key.name.quoted), found none")
    }
    checkAlternatives(meant)
  }

  private func checkAlternatives(_ meant: Set<String>) {
    guard !shape.alternatives.isEmpty else { return }
    let found = shape.alternatives.compactMap { name in
      keyPositions[name].map { (name: name, position: $0) }
    }.sorted { $0.position < $1.position }
    if found.isEmpty && meant.isDisjoint(with: shape.alternatives) {
      owner.complain("expected one of the keys \(shape.alternatives.list), found none")
    }
    for extra in found.dropFirst() {
      owner.complain(
        "expected one of the keys \(shape.alternatives.list), found \(extra.name.quoted) beside \(found[0].name.quoted)",
        at: extra.position)
    }
  }

  /// - Precondition: the shape has the key.
  subscript(key: String) -> Located? {
    precondition(shape.names.contains(key), "\(key) is not in the table of keys")
    return values[key]
  }

  /// Complains about keys that make no sense beside another one.
  func refuse(_ keys: [String], because reason: String) {
    for key in keys {
      guard let place = keyPositions[key] else { continue }
      owner.complain("expected no \(key.quoted), \(reason)", at: place)
    }
  }

  /// What the definition says of one field that a base may have set.
  func edit<Value>(_ key: String, _ read: (Located) -> Value?) -> Edit<Value> {
    guard let value = self[key] else { return .inherit }
    if value.isNull { return .reset }
    return read(value).map(Edit.set) ?? .inherit
  }
}
