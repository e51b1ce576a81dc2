import OCISpec
import Reporting

extension DefinitionReader {
  /// The parameters with the overrides over them.
  func readParameters(_ value: Located?, _ failures: inout [DefinitionError]) -> [String: String] {
    var parameters: [String: String] = [:]
    for member in value?.entries() ?? [] {
      if Scope.platformNames.contains(member.key) {
        member.value.complain(
          "expected a name of its own, found one that stands for the platform",
          at: member.keyPosition)
      } else if !isParameterName(member.key) {
        member.value.complain(
          "expected a name of letters, digits, \".\", \"_\" and \"-\" that starts with a letter or \"_\"",
          at: member.keyPosition)
      }
      // Known even where its value is wrong: who uses it has done nothing wrong.
      parameters[member.key] = member.value.text() ?? ""
    }
    let known = parameters.keys.sorted()
    for name in overrides.keys.sorted() where parameters[name] == nil {
      failures.append(.unknownParameter(name, known: known))
    }
    return parameters.merging(overrides) { $1 }
  }

  /// The definition's own platforms; `nil` where it has none that can be read.
  func readPlatforms(_ value: Located?) -> [Platform]? {
    guard let value, let elements = value.elements() else { return nil }
    if elements.isEmpty { value.complain("expected at least one platform, found none") }
    var platforms: [Platform] = []
    for element in elements {
      guard let text = element.text() else { continue }
      do {
        let platform = try Platform(parsing: text)
        if platforms.contains(where: { $0.matches(platform) }) {
          element.complain("expected each platform once, found \(text.quoted) again")
        } else {
          platforms.append(platform)
        }
      } catch { element.complain("\(error)") }
    }
    return platforms.count == elements.count && !platforms.isEmpty ? platforms : nil
  }

  /// The platforms to read the definition for, sorted.
  func choosePlatforms(
    _ declared: [Platform]?, _ root: Located, _ failures: inout [DefinitionError]
  ) -> [Platform] {
    guard let declared else {
      if let requested { return Set(requested).sorted() }
      if root.member("platforms") == nil {
        root.complain(
          "expected the key \"platforms\", found none; write platforms: [linux/amd64], or say --platform linux/amd64"
        )
      }
      return []
    }
    var chosen: Set<Platform> = requested == nil ? Set(declared) : []
    for platform in requested ?? [] {
      if let match = declared.first(where: { $0.matches(platform) }) {
        chosen.insert(match)
      } else {
        failures.append(
          .unknownPlatform(platform.description, known: declared.map(\.description)))
      }
    }
    return chosen.sorted()
  }

  private func isParameterName(_ name: String) -> Bool {
    guard let first = name.utf8.first, first.isLetter || first == UInt8(ascii: "_") else {
      return false
    }
    return name.utf8.allSatisfy { $0.isLetter || $0.isDigit || "._-".utf8.contains($0) }
  }
}
