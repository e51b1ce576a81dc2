package import Reporting

/// Why a JSON document is not the OCI document it should be.
package struct DocumentError: Failure, Equatable {
  /// Where, as a JSON pointer (RFC 6901).
  package let pointer: String
  package let expected: String
  package let found: String

  package init(pointer: String, expected: String, found: String) {
    self.pointer = pointer
    self.expected = expected
    self.found = found
  }

  package var kind: FailureKind { .data }
  package var description: String {
    "at \(pointer.isEmpty ? "the top" : pointer.quoted): expected \(expected), found \(found)"
  }
}

/// A JSON value with the place it came from, so that every complaint can name that place.
///
/// `null` reads as absent, as Go's writers produce it (`"manifests": null`).
struct Located {
  let value: JSON
  let pointer: String

  init(_ value: JSON, at pointer: String = "") {
    self.value = value
    self.pointer = pointer
  }

  func mismatch(_ expected: String) -> DocumentError {
    DocumentError(pointer: pointer, expected: expected, found: value.kindName)
  }

  func object() throws(DocumentError) -> JSONObject {
    guard let object = value.objectValue else { throw mismatch("an object") }
    return object
  }

  func optional(_ key: String) throws(DocumentError) -> Located? {
    guard let member = try object()[key], member != .null else { return nil }
    return Located(member, at: pointer(to: key))
  }

  private func pointer(to key: String) -> String {
    var escaped = ""
    for scalar in key.unicodeScalars {
      switch scalar {
      case "~": escaped += "~0"
      case "/": escaped += "~1"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return pointer + "/" + escaped
  }

  func required(_ key: String) throws(DocumentError) -> Located {
    guard let member = try optional(key) else {
      throw DocumentError(pointer: pointer, expected: "a member \(key.quoted)", found: "none")
    }
    return member
  }

  func string() throws(DocumentError) -> String {
    guard let text = value.stringValue else { throw mismatch("a string") }
    return text
  }

  func integer() throws(DocumentError) -> Int64 {
    guard let number = value.integerValue else { throw mismatch("an integer") }
    return number
  }

  func boolean() throws(DocumentError) -> Bool {
    guard let flag = value.boolValue else { throw mismatch("a boolean") }
    return flag
  }

  func elements() throws(DocumentError) -> [Located] {
    guard let values = value.arrayValue else { throw mismatch("an array") }
    return values.enumerated().map { Located($1, at: "\(pointer)/\($0)") }
  }

  func strings() throws(DocumentError) -> [String] {
    var out: [String] = []
    for element in try elements() { out.append(try element.string()) }
    return out
  }

  func stringMap() throws(DocumentError) -> [String: String] {
    var out: [String: String] = [:]
    for (key, value) in try object().members where value != .null {
      let member = Located(value, at: pointer(to: key))
      // Swift holds canonically equivalent keys for one; dropping either would change a document unseen.
      guard out.updateValue(try member.string(), forKey: key) == nil else {
        throw DocumentError(
          pointer: member.pointer, expected: "keys that differ by more than Unicode normalization",
          found: "two")
      }
    }
    return out
  }

  /// The keys of a "set" such as `{"4317/tcp": {}}`.
  func keySet() throws(DocumentError) -> Set<String> { Set(try object().keys) }

  func digest() throws(DocumentError) -> Digest {
    let text = try string()
    guard let digest = try? Digest(parsing: text) else {
      throw DocumentError(pointer: pointer, expected: "a digest", found: text.quoted)
    }
    return digest
  }
}

extension JSON {
  static func map(_ values: [String: String]) -> JSON? {
    guard !values.isEmpty else { return nil }
    var object = JSONObject()
    for key in values.keys.sorted() { object.append(key, .string(values[key] ?? "")) }
    return .object(object)
  }

  static func set(_ keys: Set<String>) -> JSON? {
    guard !keys.isEmpty else { return nil }
    var object = JSONObject()
    for key in keys.sorted() { object.append(key, .object(JSONObject())) }
    return .object(object)
  }

  static func list(_ values: [String]?) -> JSON? { values.map { .array($0.map(JSON.string)) } }
}
