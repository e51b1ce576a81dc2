import Bindings
import OCISpec
import Reporting
import SystemPackage

/// The inputs of one platform. A name is known even where its input is wrong.
struct InputTable {
  var names: [String] = []
  var values: [String: Input] = [:]

  func used(by layers: [LayerDefinition]) -> Set<String> {
    var used: Set<String> = []
    for entry in layers.lazy.flatMap(\.entries) {
      switch entry.content {
      case .input(let name), .archive(.input(let name)): used.insert(name)
      default: break
      }
    }
    return used
  }
}

extension DefinitionReader {
  func readInputs(_ value: Located) -> InputTable {
    var table = InputTable()
    for member in value.entries() ?? [] {
      let isPlain = member.key.utf8.allSatisfy {
        $0.isLetter || $0.isDigit || "._-".utf8.contains($0)
      }
      if member.key.isEmpty || !isPlain {
        member.value.complain(
          "expected a name of letters, digits, \".\", \"_\" and \"-\"", at: member.keyPosition)
      }
      table.names.append(member.key)
      table.values[member.key] = readInput(member.key, member.value, at: member.keyPosition)
    }
    return table
  }

  private func readInput(_ name: String, _ value: Located, at place: TextPosition) -> Input? {
    guard let members = Members(value, .input, expected: "a map with \"url\" or \"file\"") else {
      return nil
    }
    let source = readSource(members)
    let checksums = members["checksums"].flatMap { value in
      value.text("an https URL").flatMap { url(value, $0, schemes: ["https"]) }
    }
    let member = members["member"]?.forPlatform().flatMap { readMember($0) }
    return source.map {
      Input(
        name: name, source: $0, checksums: checksums, member: member, location: location(place))
    }
  }

  private func readSource(_ members: Members) -> Input.Source? {
    let digest = members["sha256"]?.forPlatform().flatMap { readDigest($0) }
    if let value = members["url"]?.forPlatform() {
      guard let text = value.text("a URL"), let url = url(value, text, schemes: ["https", "http"])
      else { return nil }
      // A digest that was written wrongly has had its complaint.
      if scheme(url) == "http" && members["sha256"] == nil {
        value.complain(
          "expected https, or a \"sha256\" beside it, found http without one: anyone on the way could change the file"
        )
      }
      return .url(url, digest: digest)
    }
    members.refuse(
      ["sha256", "checksums"], because: "which is for \"url\": local files are not pinned")
    return members["file"]?.forPlatform().flatMap { localPath($0) }.map(Input.Source.file)
  }

  private func readDigest(_ value: Located) -> Digest? {
    let expected = "64 lower-case hexadecimal digits"
    let remedy = { (plain: String) in (try? Digest(.sha256, hex: plain)) == nil ? nil : plain }
    guard let text = value.text(expected, remedy: remedy) else { return nil }
    if let digest = try? Digest(.sha256, hex: text) { return digest }
    let digits = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
    if (try? Digest(.sha256, hex: digits.lowercased())) != nil {
      value.complain(
        "expected \(expected), found \(text.quoted); write \(digits.lowercased().quoted)")
    } else {
      value.complain("expected \(expected), found \(text.quoted), length \(text.count)")
    }
    return nil
  }

  /// As archives spell it: relative, `./` dropped.
  private func readMember(_ value: Located) -> String? {
    guard let text = value.line("a path in the archive") else { return nil }
    do {
      let path = try ImagePath(archived: Array(text.utf8))
      if !path.isRoot { return String(decoding: path.bytes, as: UTF8.self) }
      value.complain("expected a file in the archive, found \(text.quoted)")
    } catch { value.complain("\(error)") }
    return nil
  }

  /// Checks a URL without ever repeating more of it than its scheme and host: the rest may be secret.
  private func url(_ value: Located, _ text: String, schemes: [String]) -> String? {
    let expected = schemes.count == 1 ? "an https URL" : "an https or http URL"
    guard let scheme = scheme(text), schemes.contains(scheme) else {
      let found = scheme(text).map { "the scheme \($0.quoted)" } ?? "one without a scheme"
      value.complain("expected \(expected), found \(found)")
      return nil
    }
    let rest = text.dropFirst(scheme.count + 3)
    let authority = rest.prefix { !"/?#".contains($0) }
    if authority.contains("@") {
      value.complain("expected a URL without user and password, found one")
    } else if authority.isEmpty {
      value.complain("expected \(expected), found one without a host")
    } else if !text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
      value.complain(
        "expected a URL of printable ASCII characters, found others; write them as %XX")
    } else if rest.contains("#") {
      value.complain("expected a URL without \"#\", found one")
    } else {
      return text
    }
    return nil
  }

  private func scheme(_ url: String) -> String? {
    let name = url.prefix { $0 != ":" }
    let isPlain = name.utf8.allSatisfy { $0.isLetter || $0.isDigit || "+-.".utf8.contains($0) }
    return isPlain && url.dropFirst(name.count).hasPrefix("://") ? String(name) : nil
  }
}
