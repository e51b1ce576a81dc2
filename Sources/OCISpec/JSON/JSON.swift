/// A JSON value as received or authored: member order and the text of numbers survive.
///
/// Only what ociforge authors is written with ``CanonicalJSON``; a document that was received keeps its bytes
/// (see ``Document``).
package enum JSON: Sendable, Hashable {
  case null
  case bool(Bool)
  case integer(Int64)
  /// A number with a fraction, an exponent, or beyond 64 bits, as it was written.
  case decimal(String)
  case string(String)
  case array([JSON])
  case object(JSONObject)

  /// What kind of value this is, for error messages.
  package var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .integer, .decimal: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }

  package var stringValue: String? { if case .string(let value) = self { value } else { nil } }
  package var integerValue: Int64? { if case .integer(let value) = self { value } else { nil } }
  package var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
  package var arrayValue: [JSON]? { if case .array(let value) = self { value } else { nil } }
  package var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }

  package subscript(key: String) -> JSON? { objectValue?[key] }
}

/// The members of a JSON object in the order they were written. Keys are unique by their bytes, not by
/// Swift's canonical equivalence.
package struct JSONObject: Sendable, Hashable {
  package private(set) var members: [(key: String, value: JSON)] = []

  package init() {}

  package subscript(key: String) -> JSON? {
    get { members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value }
    set {
      let index = members.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
      switch (index, newValue) {
      case (let index?, let value?): members[index].value = value
      case (let index?, nil): members.remove(at: index)
      case (nil, let value?): members.append((key, value))
      case (nil, nil): break
      }
    }
  }

  package var keys: [String] { members.map(\.key) }
  package var isEmpty: Bool { members.isEmpty }

  /// Adds a member whose key is known to be new, without looking for it.
  package mutating func append(_ key: String, _ value: JSON) { members.append((key, value)) }

  package static func == (a: Self, b: Self) -> Bool {
    a.members.count == b.members.count
      && zip(a.members, b.members).allSatisfy {
        $0.key.utf8.elementsEqual($1.key.utf8) && $0.value == $1.value
      }
  }

  package func hash(into hasher: inout Hasher) {
    for (key, value) in members {
      hasher.combine(key)
      hasher.combine(value)
    }
  }
}

extension JSON: ExpressibleByStringLiteral {
  package init(stringLiteral value: String) { self = .string(value) }
}
