internal import CLibArchive
internal import CLibDeflate
internal import COpenSSL
internal import CYAML
internal import CZlib

// The versions that run, which need not be those that the program was built with. libdeflate alone does not
// tell at run time.

package var libarchiveVersionText: String {
  version(after: "libarchive ", archive_version_string())
}
package var openSSLVersionText: String { String(cString: OpenSSL_version(OPENSSL_VERSION_STRING)) }
package var zlibVersionText: String { String(cString: zlibVersion()) }
package var libdeflateVersionText: String { LIBDEFLATE_VERSION_STRING }
package var libyamlVersionText: String { String(cString: yaml_get_version_string()) }

private func version(after name: String, _ text: UnsafePointer<CChar>?) -> String {
  let text = text.map { String(cString: $0) } ?? "unknown"
  return text.hasPrefix(name) ? String(text.dropFirst(name.count)) : text
}
