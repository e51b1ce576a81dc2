import OCISpec
import Reporting
import SystemPackage

extension DefinitionReader {
  /// What stands after `from`; `scratch` where nothing does, and after a complaint.
  func readBase(_ value: Located?) -> BaseImage {
    guard let value, let text = value.line("\"scratch\" or an image"), text != "scratch",
      let source = readBaseSource(value, text)
    else { return .scratch }
    return .image(source, location(value.position))
  }

  private func readBaseSource(_ value: Located, _ text: String) -> BaseImage.Source? {
    if ["./", "../", "/"].contains(where: text.hasPrefix) {
      return .definition(directory.pushing(FilePath(text)))
    }
    for transport in ["oci:", "oci-archive:", "docker-archive:"] where text.hasPrefix(transport) {
      let place = text.dropFirst(transport.count)
      guard let first = place.first, !":@".contains(first) else {
        value.complain("expected a path after \(transport.quoted), found \(text.quoted)")
        return nil
      }
      guard transport != "oci:" || hasSoundDigest(value, place) else { return nil }
      return .local(transport + directory.pushing(FilePath(String(place))).string)
    }
    do { return .registry(try Reference(parsing: text), written: text) } catch {
      value.complain("\(error)")
      return nil
    }
  }

  /// Whether what follows the last "@" is a digest, where it begins as one.
  private func hasSoundDigest(_ value: Located, _ place: Substring) -> Bool {
    guard let at = place.lastIndex(of: "@") else { return true }
    let tail = String(place[place.index(after: at)...])
    guard Digest.Algorithm.allCases.contains(where: { tail.hasPrefix("\($0.rawValue):") }) else {
      return true
    }
    do { _ = try Digest(parsing: tail) } catch {
      value.complain("\(error)")
      return false
    }
    return true
  }
}
