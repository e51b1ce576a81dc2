import Bindings
import OCISpec
import Reporting

/// The rules of layer.md over the entries of one layer, fed one by one. Holds the names, never content.
struct LayerRules {
  let subject: String
  private let maximumViolationCount: Int
  private(set) var violations: [Violation] = []
  private var suppressedCount = 0
  private var kinds: [ImagePath: Kind] = [:]
  private var listedDirectories: Set<ImagePath> = []
  private var hasLateWhiteout = false

  private enum Kind {
    case directory, symlink, other

    init(_ kind: TarHeader.Kind) {
      switch kind {
      case .directory: self = .directory
      case .symlink: self = .symlink
      default: self = .other
      }
    }
  }

  init(subject: String, maximumViolationCount: Int) {
    self.subject = subject
    self.maximumViolationCount = maximumViolationCount
  }

  mutating func check(_ member: ArchiveMember) {
    let header = member.header
    let path: ImagePath
    do { path = try LayerReader.place(header.path) } catch {
      report(ImagePath.escaped(header.path), "layer.md: file paths", "\(error)")
      return
    }
    if let type = member.unsupportedType {
      report(path, "layer.md: file types", expected: "a file type of tar", found: type)
    }
    if path.isRoot && header.kind != .directory {
      report(path, "layer.md: file types", expected: "the root to be a directory", found: "none")
    }
    if kinds[path] != nil {
      report(
        path, "layer.md: representing changes", expected: "one entry a path",
        found: "another of the same path")
    }
    checkWhiteout(path, header)
    if case .hardlink(let target) = header.kind { checkHardlink(path, target) }
    if kinds[path] == nil { kinds[path] = Kind(header.kind) }
  }

  /// - Returns: all violations, with the rules that need every name.
  consuming func finish() -> [Violation] {
    var below: [ImagePath] = []
    for path in kinds.keys {
      var ancestor = path.parent
      // Below a symlink of its own layer, an entry goes where that points; the specification allows it.
      while let current = ancestor, kinds[current] != .other { ancestor = current.parent }
      if ancestor != nil { below.append(path) }
    }
    for path in below.sorted() {
      report(
        path, "layer.md: representing changes", expected: "directories above an entry",
        found: "another kind of entry")
    }
    if suppressedCount > 0 {
      violations.append(
        Violation(
          subject: subject, rule: "limit of ociforge",
          text: "expected fewer broken rules, found \(suppressedCount) more than are shown"))
    }
    return violations
  }

  private mutating func checkWhiteout(_ path: ImagePath, _ header: TarHeader) {
    let rule = "layer.md: whiteouts"
    guard let parent = path.parent else { return }
    if parent.components.contains(where: { $0.starts(with: ImagePath.whiteoutPrefix) }) {
      report(path, rule, expected: "nothing below a whiteout", found: "an entry")
      return
    }
    guard path.isWhiteout else {
      listedDirectories.insert(parent)
      return
    }
    let name = path.name.dropFirst(ImagePath.whiteoutPrefix.count)
    let isOpaque = Array(name) == Array(".wh..opq".utf8)
    let isName = !name.isEmpty && Array(name) != [0x2E] && Array(name) != [0x2E, 0x2E]
    if !isOpaque && (!isName || name.starts(with: ImagePath.whiteoutPrefix)) {
      report(
        path, rule, expected: "the name of a removed file after \".wh.\"",
        found: ImagePath.escaped(Array(name)).quoted)
    }
    if header.kind != .file(size: 0) {
      report(path, rule, expected: "a whiteout to be an empty file", found: "another entry")
    }
    // Docker writes whiteouts last; once a layer is enough to say so.
    if listedDirectories.contains(parent) && !hasLateWhiteout {
      hasLateWhiteout = true
      report(
        as: .should, path, rule, expected: "whiteouts before their siblings",
        found: "a sibling before this one")
    }
  }

  private mutating func checkHardlink(_ path: ImagePath, _ target: [UInt8]) {
    let rule = "layer.md: hardlinks"
    guard let linked = try? ImagePath(archived: LayerReader.relative(target)) else {
      report(
        path, rule, expected: "a target inside the image",
        found: "\"\(ImagePath.escaped(target))\"")
      return
    }
    if kinds[linked] == nil || kinds[linked] == .directory || linked == path {
      report(
        path, rule, expected: "a target that is a file earlier in the layer",
        found: "\"\(linked)\", which is not")
    }
  }

  private mutating func report(
    as severity: Violation.Severity = .must, _ path: ImagePath, _ rule: String, expected: String,
    found: String
  ) {
    report(
      as: severity, path.description, rule, "expected \(expected), found \(found)")
  }

  private mutating func report(
    as severity: Violation.Severity = .must, _ pointer: String, _ rule: String, _ text: String
  ) {
    guard violations.count < maximumViolationCount else {
      suppressedCount += 1
      return
    }
    violations.append(
      Violation(severity, subject: subject, pointer: pointer, rule: rule, text: text))
  }
}
