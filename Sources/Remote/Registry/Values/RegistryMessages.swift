/// One error of a registry's error body: distribution-spec, "Error Codes".
package struct RegistryMessage: Sendable, Equatable, CustomStringConvertible {
  package var code: String
  package var message: String

  package init(code: String, message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message.isEmpty ? code : "\(code): \(message)" }
}
