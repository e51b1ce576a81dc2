import OCISpec
import Reporting

/// What `${…}` stands for at a place in a definition.
enum Scope: Sendable {
  /// Nothing is expanded: the text is taken as it is written.
  case literal
  /// What all platforms share; the names that differ between them are refused.
  case shared(parameters: [String: String])
  case image(ImageScope)

  struct ImageScope: Sendable {
    var parameters: [String: String]
    /// `nil` where the definition's platforms cannot be read: then any will do, to find the other complaints.
    var platform: Platform?
    /// What maps by platform may have as keys; `nil` where the definition does not say.
    var declared: [Platform]?
  }

  /// The names that every definition has.
  static let platformNames = ["os", "arch", "variant"]
}

/// A text after expansion, with what was wrong in it.
struct Expansion: Equatable {
  var text = ""
  var problems: [String] = []

  /// Replaces `${name}` and `$$`. A `$` before anything else stands for itself, so that a shell's `$PATH`
  /// can be written as it is.
  init(_ source: String, in scope: Scope) {
    if case .literal = scope {
      text = source
      return
    }
    var rest = Substring(source)
    while let dollar = rest.unicodeScalars.firstIndex(of: "$") {
      text += rest[..<dollar]
      rest = rest[rest.unicodeScalars.index(after: dollar)...]
      switch rest.unicodeScalars.first {
      case "$":
        text += "$"
        rest.unicodeScalars.removeFirst()
      case "{":
        guard let end = rest.unicodeScalars.firstIndex(of: "}") else {
          problems.append(
            "expected \"}\" after \"${\", found none; for a plain \"${\" write \"$${\"")
          return
        }
        let name = String(rest[rest.unicodeScalars.index(after: rest.startIndex)..<end])
        rest = rest[rest.unicodeScalars.index(after: end)...]
        append(name, in: scope)
      default: text += "$"
      }
    }
    text += rest
  }

  private mutating func append(_ name: String, in scope: Scope) {
    let parameters: [String: String]
    switch scope {
    case .literal: return
    case .shared(let shared):
      guard !Scope.platformNames.contains(name) else {
        problems.append(
          "expected a text that all platforms share, found ${\(name)}, which differs between them")
        return
      }
      parameters = shared
    case .image(let image):
      parameters = image.parameters
      let platform = image.platform ?? Platform(os: "linux", architecture: "amd64")
      switch name {
      case "os": return text += platform.os
      case "arch": return text += platform.architecture
      case "variant": return text += platform.variant ?? ""
      default: break
      }
    }
    guard let value = parameters[name] else {
      var known = parameters.keys.sorted()
      if case .image = scope { known += Scope.platformNames }
      problems.append("expected a parameter in \"${…}\", found \(name.quoted)\(hint(name, known))")
      return
    }
    text += value
  }
}
