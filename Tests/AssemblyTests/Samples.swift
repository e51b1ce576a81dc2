import Assembly
import Bindings
import Definition
import OCILayout
import OCISpec
import SystemPackage
import TestSupport

/// Definitions made in code, with a place that messages can name.
enum Sample {
  static func entry(
    _ path: String, _ content: LayerEntry.Content, mode: UInt32? = nil, owner: Owner? = nil,
    xattrs: [ExtendedAttribute] = [], line: Int = 1
  ) throws -> LayerEntry {
    LayerEntry(
      path: try ImagePath(absolute: path), content: content,
      attributes: EntryAttributes(mode: mode, owner: owner, xattrs: xattrs),
      location: SourceLocation(file: "image.yaml", line: line, column: 1))
  }

  static func layer(_ entries: [LayerEntry]) -> LayerDefinition { layer("files", entries) }

  static func layer(_ name: String, _ entries: [LayerEntry]) -> LayerDefinition {
    LayerDefinition(
      name: name, entries: entries,
      location: SourceLocation(file: "image.yaml", line: 1, column: 1))
  }

  static func planner(
    in directory: TemporaryDirectory, inputs: [String: InputFile] = [:], epoch: Int64 = 0,
    base: ResolvedBase? = nil
  ) throws -> LayerPlanner {
    try LayerPlanner(
      epoch: epoch, inputs: inputs,
      spoolStore: BlobStore(root: directory.path.appending("spool")), base: base)
  }
}

extension LayerPlan {
  /// `path mode uid:gid` of every entry, in order.
  var listing: [String] {
    entries.map { entry in
      let mode = String(entry.mode, radix: 8)
      let link =
        switch entry.kind {
        case .symlink(let target): " -> " + String(decoding: target, as: UTF8.self)
        case .hardlink(let target): " => " + String(decoding: target, as: UTF8.self)
        case .directory: "/"
        default: ""
        }
      return "\(entry.path)\(link) \(mode) \(entry.owner.uid):\(entry.owner.gid)"
    }
  }
}
