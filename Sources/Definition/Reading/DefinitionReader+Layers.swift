import OCISpec
import Reporting
import SystemPackage

extension DefinitionReader {
  func readLayers(_ value: Located, _ inputs: InputTable) -> [LayerDefinition] {
    var layers: [LayerDefinition] = []
    var places: [String: Located] = [:]
    for element in value.elements() ?? [] {
      guard let members = Members(element, .layer, expected: "a map with \"name\" and \"entries\"")
      else { continue }
      let nameValue = members["name"]
      let name = nameValue?.line()
      if let name, let nameValue {
        if let first = places[name] {
          nameValue.complain(
            "expected each layer's name once, found \(name.quoted) again; the first is at \(first.position)"
          )
        } else {
          places[name] = nameValue
        }
      }
      var placed: [PlacedEntry] = []
      for entry in members["entries"]?.elements() ?? [] {
        if let entry = readEntry(entry, inputs) { placed.append(entry) }
      }
      EntryConflicts(placed).complain()
      layers.append(
        LayerDefinition(
          name: name ?? "", entries: placed.map(\.entry), location: location(element.position)))
    }
    return layers
  }

  private func readEntry(_ value: Located, _ inputs: InputTable) -> PlacedEntry? {
    let expected = "a map with \"path\" and one of \(ObjectShape.entry.alternatives.list)"
    guard let members = Members(value, .entry, expected: expected) else { return nil }
    let path = members["path"].flatMap { readPath($0, members) }
    let content = readContent(members, inputs)
    let attributes = readAttributes(members)
    if members["tree"] == nil {
      members.refuse(["include", "exclude"], because: "which is for \"tree\"")
    }
    guard let path, let content, let place = members["path"] else { return nil }
    let entry = LayerEntry(
      path: path, content: content, attributes: attributes, location: location(value.position))
    return PlacedEntry(entry: entry, path: place, target: members["hardlink"])
  }

  private func readPath(_ value: Located, _ members: Members) -> ImagePath? {
    guard let path = value.imagePath() else { return nil }
    if path.components.contains(where: { $0.starts(with: ImagePath.whiteoutPrefix) }) {
      value.complain(
        "expected no name that starts with \".wh.\", which layers reserve for removed files, found \(path.description.quoted)"
      )
      return nil
    }
    let canBeRoot = ["tree", "archive", "directory"].contains { members[$0] != nil }
    if path.isRoot && !canBeRoot {
      value.complain(
        "expected a path below \"/\", found \"/\" itself, which only \"tree\", \"archive\" and \"directory\" can have"
      )
      return nil
    }
    return path
  }

  private func readContent(_ members: Members, _ inputs: InputTable) -> LayerEntry.Content? {
    guard let key = members.shape.alternatives.first(where: { members[$0] != nil }),
      let value = members[key]
    else { return nil }
    switch key {
    case "input": return inputName(value, inputs).map(LayerEntry.Content.input)
    case "file": return localPath(value).map(LayerEntry.Content.file)
    case "tree":
      let include = readGlobs(members["include"])
      let exclude = readGlobs(members["exclude"])
      return localPath(value).map { .tree($0, include: include, exclude: exclude) }
    case "archive":
      guard value.isMap else { return localPath(value).map { .archive(.file($0)) } }
      let source = Members(value, .archive, expected: "a path or a map with \"input\"")
      return source?["input"].flatMap { inputName($0, inputs) }.map { .archive(.input($0)) }
    case "text": return value.text().map { .text(Array($0.utf8)) }
    case "symlink": return value.line("a link's target").map { .symlink(target: Array($0.utf8)) }
    case "hardlink": return value.imagePath().map(LayerEntry.Content.hardlink)
    case "directory": return value.isTrue() ? .directory : nil
    default: return value.isTrue() ? .remove : nil
    }
  }

  private func inputName(_ value: Located, _ inputs: InputTable) -> String? {
    guard let name = value.text("an input's name") else { return nil }
    guard inputs.names.contains(name) else {
      value.complain(
        "expected the name of an input, found \(name.quoted)\(hint(name, inputs.names))")
      return nil
    }
    return name
  }

  private func readGlobs(_ value: Located?) -> [Glob] {
    (value?.elements() ?? []).compactMap { element in
      guard let text = element.line("a pattern") else { return nil }
      do { return try Glob(parsing: text) } catch {
        element.complain("\(error)")
        return nil
      }
    }
  }
}
