import OCISpec
import Reporting

extension DefinitionReader {
  func readConfig(_ value: Located) -> ConfigEdits {
    var edits = ConfigEdits()
    guard let members = Members(value, .config, expected: "a map of the config's fields") else {
      return edits
    }
    edits.author = members.edit("author") { $0.line() }
    edits.user = members.edit("user") {
      $0.parsed("a user such as \"10001\", \"10001:10001\" or \"app\"", parseUser)
    }
    edits.exposedPorts = members.edit("exposedPorts") { readPorts($0) }
    edits.env = members.edit("env") { readEnvironment($0) }
    edits.entrypoint = members.edit("entrypoint") { readCommand($0) }
    edits.cmd = members.edit("cmd") { readCommand($0) }
    edits.volumes = members.edit("volumes") { value in
      value.elements().map { Set($0.compactMap { absolutePath($0) }) }
    }
    edits.workingDir = members.edit("workingDir") { absolutePath($0) }
    edits.labels = members.edit("labels") { readLabels($0) }
    edits.stopSignal = members.edit("stopSignal") { value in
      value.parsed("a signal such as SIGTERM") { StopSignal.isValid($0) ? $0 : nil }
    }
    edits.healthcheck = members.edit("healthcheck") { readHealthcheck($0) }
    edits.shell = members.edit("shell") { value in
      let shell = readCommand(value)
      if shell == [] { value.complain("expected a program, found an empty list") }
      return shell
    }
    edits.onBuild = members.edit("onBuild") { $0.texts(expected: "a list of instructions") }
    return edits
  }

  /// A path of the image as the config holds it: text, not the escaped form that messages show.
  private func absolutePath(_ value: Located) -> String? {
    value.imagePath().map { "/" + String(decoding: $0.bytes, as: UTF8.self) }
  }

  private func parseUser(_ text: String) -> String? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let isPlain = parts.allSatisfy { part in
      !part.isEmpty && part.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F }
    }
    return parts.count <= 2 && isPlain ? text : nil
  }

  private func readPorts(_ value: Located) -> Set<String>? {
    guard let elements = value.elements() else { return nil }
    var ports: Set<String> = []
    for element in elements {
      if case .integer(let number) = element.scalar?.meaning, let number,
        (1...65535).contains(number)
      {
        ports.insert("\(number)/tcp")
      } else if case .integer = element.scalar?.meaning {
        element.mismatch(ExposedPorts.expected)
      } else if let range = element.parsed(ExposedPorts.expected, ExposedPorts.parse) {
        ports.formUnion(range)
      }
    }
    return ports
  }

  private func readEnvironment(_ value: Located) -> [EnvironmentEdit]? {
    value.entries()?.map { member in
      if member.key.isEmpty || member.key.contains("=") || member.key.contains("\0") {
        member.value.complain(
          "expected a variable's name without \"=\", found \(member.key.quoted)",
          at: member.keyPosition)
      }
      return EnvironmentEdit(
        name: member.key, value: member.value.isNull ? nil : member.value.text())
    }
  }

  private func readLabels(_ value: Located) -> [String: String?]? {
    value.entries().map { members in
      var labels: [String: String?] = [:]
      for member in members {
        labels.updateValue(member.value.isNull ? nil : member.value.text(), forKey: member.key)
      }
      return labels
    }
  }

  /// Only lists: a text would have to be split or given to a shell, and either surprises.
  private func readCommand(_ value: Located) -> [String]? {
    guard let (text, meaning) = value.scalar, meaning != .null else { return value.texts() }
    let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    value.complain("expected a list, found \(value.found); write [\(words.list)]")
    return nil
  }

  private func readHealthcheck(_ value: Located) -> Healthcheck? {
    guard let members = Members(value, .healthcheck, expected: "a map with \"test\"") else {
      return nil
    }
    func duration(_ key: String) -> Int64? {
      members[key]?.parsed(HealthcheckDuration.expected, HealthcheckDuration.nanoseconds)
    }
    return Healthcheck(
      test: members["test"].flatMap { readTest($0) },
      interval: duration("interval"), timeout: duration("timeout"),
      startPeriod: duration("startPeriod"), startInterval: duration("startInterval"),
      retries: members["retries"]?.integer(
        "a number from 0 to \(ObjectShape.maximumRetries)", in: 0...ObjectShape.maximumRetries))
  }

  private func readTest(_ value: Located) -> [String]? {
    if let (text, _) = value.scalar {
      value.complain("expected a list, found \(value.found); write [\(["CMD-SHELL", text].list)]")
      return nil
    }
    guard let test = value.texts() else { return nil }
    let isComplete =
      switch test.first {
      case "NONE": test.count == 1
      case "CMD": test.count > 1
      case "CMD-SHELL": test.count == 2
      default: false
      }
    if isComplete { return test }
    value.complain(
      "expected [NONE], [CMD, program, argument…] or [CMD-SHELL, command], found [\(test.list)]")
    return nil
  }
}
