package import Bindings
package import Reporting
package import SystemPackage

/// One thing that is wrong, or worth mending, in a definition.
package struct Complaint: Sendable, Hashable {
  package let position: TextPosition
  /// What was expected and what was found.
  package let text: String

  package init(_ position: TextPosition, _ text: String) {
    self.position = position
    self.text = text
  }

  /// The complaint as people read it: `file:line:column: text`.
  package func description(in file: FilePath) -> String {
    "\(file.string.printable):\(position): \(text)"
  }
}

/// Why there is no image definition to work with.
package enum DefinitionError: Failure, Equatable {
  /// Everything that is wrong in the file, in its order.
  case invalid(file: FilePath, complaints: [Complaint])
  case missing(FilePath)
  /// `--set` names something that the definition's `parameters` do not.
  case unknownParameter(String, known: [String])
  /// `--platform` asks for something that the definition's `platforms` do not offer.
  case unknownPlatform(String, known: [String])

  package var kind: FailureKind {
    switch self {
    case .invalid: .data
    case .missing: .notFound
    case .unknownParameter, .unknownPlatform: .usage
    }
  }

  package var description: String {
    switch self {
    case .invalid(let file, let complaints):
      complaints.map { $0.description(in: file) }.joined(separator: "\n")
    case .missing(let file):
      "no image definition at \(file.string.quoted); \"ociforge init\" writes a first one"
    case .unknownParameter(let name, let known):
      "--set: expected a parameter of the definition, found \(name.quoted)\(hint(name, known))"
    case .unknownPlatform(let name, let known):
      "--platform: expected a platform of the definition, found \(name.quoted)\(hint(name, known))"
    }
  }
}

/// What to say after a name that is not one of `known`: the nearest one, else all of them.
func hint(_ name: String, _ known: [String]) -> String {
  if let nearest = name.nearest(in: known) { return "; did you mean \(nearest.quoted)?" }
  if known.isEmpty { return "; there are none" }
  return "; there \(known.count == 1 ? "is" : "are") \(known.list)"
}

extension [String] {
  /// The texts in quotes, separated by commas.
  var list: String { map(\.quoted).joined(separator: ", ") }
}

/// The complaints of one run. A class because all readers of a definition add to the one list.
///
/// A definition is read once for each platform; a place that was complained about for one platform is not
/// mentioned again for the next.
final class Complaints {
  private var errors: [Complaint] = []
  private var known: Set<Complaint> = []
  private var settled: Set<TextPosition> = []
  private(set) var warnings: [Complaint] = []

  func add(_ complaint: Complaint) {
    guard !settled.contains(complaint.position), known.insert(complaint).inserted else { return }
    errors.append(complaint)
  }

  func warn(_ complaint: Complaint) { warnings.append(complaint) }

  /// Begins to read the same text for another platform.
  func beginNextPlatform() { settled = Set(errors.map(\.position)) }

  /// By position; at one place in the order they came up.
  var sorted: [Complaint] {
    errors.enumerated().sorted {
      ($0.element.position, $0.offset) < ($1.element.position, $1.offset)
    }.map(\.element)
  }
}
