import ArgumentParser
import Assembly
import Bindings
import OCISpec

struct Version: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the version, the layer format and the libraries in use.")

  /// The release this source becomes.
  static let number = "0.1.0"

  @Flag(help: "The same as JSON.")
  var json = false

  @OptionGroup var common: CommonOptions

  func run() throws {
    let format = LayerFormat.v1
    let facts: [(key: String, label: String, value: String)] = [
      ("version", "ociforge", Self.number),
      ("formatVersion", "format version", "\(format.version)"),
      ("encoder", "encoder", format.encoder),
      ("libarchive", "libarchive", libarchiveVersionText),
      ("openssl", "OpenSSL", openSSLVersionText),
      ("zlib", "zlib", zlibVersionText),
      ("libdeflate", "libdeflate", libdeflateVersionText),
      ("libyaml", "libyaml", libyamlVersionText),
    ]
    if json {
      var object = JSONObject()
      for fact in facts { object[fact.key] = .string(fact.value) }
      object["formatVersion"] = .integer(Int64(format.version))
      try answer(PrettyJSON.encode(.object(object)))
    } else {
      try answer(facts.map { "\($0.label) \($0.value)\n" }.joined())
    }
  }
}
