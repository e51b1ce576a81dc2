import Reporting

/// Collects what one document does wrong. A check that fails never ends the ones after it.
struct ValidationChecks {
  enum Shape {
    case string, integer, boolean, array, object

    var text: String {
      switch self {
      case .string: "a string"
      case .integer: "an integer"
      case .boolean: "a boolean"
      case .array: "an array"
      case .object: "an object"
      }
    }

    func fits(_ value: JSON) -> Bool {
      switch self {
      case .string: value.stringValue != nil
      case .integer: value.integerValue != nil
      case .boolean: value.boolValue != nil
      case .array: value.arrayValue != nil
      case .object: value.objectValue != nil
      }
    }
  }

  enum Presence {
    case required, optional
    /// `null` stands for absent, as Go writes it.
    case nullable
  }

  let subject: String
  private(set) var violations: [Violation] = []

  init(subject: String) { self.subject = subject }

  mutating func report(
    as severity: Violation.Severity = .must, at pointer: String, _ rule: String, expected: String,
    found: String
  ) {
    violations.append(
      Violation(
        severity, subject: subject, pointer: pointer, rule: rule,
        text: "expected \(expected), found \(found)"))
  }

  mutating func report(
    as severity: Violation.Severity = .must, _ node: Located, _ rule: String, expected: String
  ) {
    report(as: severity, at: node.pointer, rule, expected: expected, found: node.value.shortText)
  }

  /// Whether a value has the shape; where not, that is reported.
  mutating func has(_ node: Located, _ shape: Shape, _ rule: String) -> Bool {
    if shape.fits(node.value) { return true }
    report(node, rule, expected: shape.text)
    return false
  }

  /// The member of an object, where it is there and has its shape.
  mutating func member(
    _ key: String, of object: Located, _ shape: Shape, _ presence: Presence,
    _ rule: String
  ) -> Located? {
    guard let member = object.member(key) else {
      if presence == .required {
        report(at: object.pointer, rule, expected: "a member \(key.quoted)", found: "none")
      }
      return nil
    }
    if presence == .nullable && member.value == .null { return nil }
    return has(member, shape, rule) ? member : nil
  }

  mutating func string(
    _ key: String, of object: Located, _ presence: Presence, _ rule: String
  ) -> String? {
    member(key, of: object, .string, presence, rule)?.value.stringValue
  }

  /// The elements of an array member that have their shape; empty where the member is not there.
  mutating func elements(
    _ key: String, of object: Located, _ shape: Shape, _ presence: Presence,
    _ rule: String
  ) -> [Located] {
    guard let array = member(key, of: object, .array, presence, rule) else { return [] }
    return array.children.filter { has($0, shape, rule) }
  }

  mutating func timestamp(_ key: String, of object: Located, _ rule: String) {
    guard let node = member(key, of: object, .string, .optional, rule),
      let text = node.value.stringValue, !isRFC3339(text)
    else { return }
    report(node, rule, expected: "a date and time of RFC 3339 such as \"1970-01-01T00:00:00Z\"")
  }
}

extension Located {
  /// The member, `null` included; `nil` where there is none or this is no object.
  func member(_ key: String) -> Located? {
    value[key].map { Located($0, at: "\(pointer)/\(Self.escaped(key))") }
  }

  /// The elements of an array or the values of an object, with their places.
  var children: [Located] {
    switch value {
    case .array(let values):
      values.enumerated().map { Located($1, at: "\(pointer)/\($0)") }
    case .object(let object):
      object.members.map { Located($0.value, at: "\(pointer)/\(Self.escaped($0.key))") }
    default: []
    }
  }

  /// RFC 6901, section 3.
  private static func escaped(_ key: String) -> String {
    key.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
      .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
  }
}

extension JSON {
  /// The value where it is short, else what kind it is.
  var shortText: String {
    switch self {
    case .string(let text): text.quoted
    case .integer(let number): "\(number)"
    case .decimal(let text): text
    case .bool(let flag): "\(flag)"
    default: kindName
    }
  }
}
