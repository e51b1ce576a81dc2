/// JSON for people: two blanks of indentation, members in the order given, a newline at the end.
///
/// Never part of an image; `--json` output and the lock use it.
package enum PrettyJSON {
  package static func encode(_ value: JSON) -> String {
    var out = ""
    append(value, indent: "", to: &out)
    return out + "\n"
  }

  private static func append(_ value: JSON, indent: String, to out: inout String) {
    let deeper = indent + "  "
    switch value {
    case .array(let values) where !values.isEmpty:
      out += "[\n"
      for (index, value) in values.enumerated() {
        out += deeper
        append(value, indent: deeper, to: &out)
        out += index + 1 < values.count ? ",\n" : "\n"
      }
      out += indent + "]"
    case .object(let object) where !object.isEmpty:
      out += "{\n"
      for (index, member) in object.members.enumerated() {
        out += deeper + scalar(.string(member.key)) + ": "
        append(member.value, indent: deeper, to: &out)
        out += index + 1 < object.members.count ? ",\n" : "\n"
      }
      out += indent + "}"
    default: out += scalar(value)
    }
  }

  private static func scalar(_ value: JSON) -> String {
    String(decoding: CanonicalJSON.encode(value), as: UTF8.self)
  }
}
