import OCISpec
import Reporting

extension RegistryFailure {
  package var description: String {
    let context = "\(activity): \(method) \(url): \(problem.text)"
    let tries = attempts > 1 ? "; gave up after \(attempts) attempts" : ""
    return context + tries + (advice.map { "; \($0)" } ?? "")
  }
}

extension RegistryFailure.Problem {
  var text: String {
    switch self {
    case .network(let fault): fault.text
    case .status(let code, let messages): Self.text(status: code, messages)
    case .askedToWait(let code, let wait):
      "status \(code), and the registry asks to wait \(wait.components.seconds) s; try again then"
    case .redirectRefused(let next, let problem):
      "redirect\(next.map { " to \($0)" } ?? "") refused: \(problem.text)"
    case .denied(let code, let messages, let source):
      Self.text(status: code, messages)
        + (source.map { "; credential from \($0)" } ?? "; no credential was found")
    case .plaintextCredential(let source):
      "the credential from \(source.printable) would go over plain http for everybody to read; --allow-plaintext-credentials sends it nevertheless"
    case .unusableCredential(let source):
      "the credential from \(source.printable) has characters that no header can carry"
    case .protocolBroken(let text): text.printable
    case .digestMismatch(let expected, let found):
      "digest mismatch: expected \(expected), got \(found)"
    case .sizeMismatch(let expected, let found): "expected \(expected) bytes, got \(found)"
    case .tooLarge(let limit): "more than \(limit) bytes, the limit for such an answer"
    case .unsupportedMediaType(let type): "media type \(type.quoted) is not supported"
    case .localCorruption(let path):
      "\(path.quoted) is not what its digest says; it was damaged or changed meanwhile"
    case .foreignLayer:
      "the layer is a foreign one that its publisher keeps elsewhere; nothing is fetched from there"
    case .notARegistry: "no registry answers there"
    case .offline: "--offline forbids the network"
    }
  }

  private static func text(status: Int, _ messages: [RegistryMessage]) -> String {
    let said = messages.map(\.description).joined(separator: ", ")
    return "status \(status)" + (said.isEmpty ? "" : ": \(said)")
  }
}
