package import Reporting

/// A C library's refusal, in the library's own words.
package struct LibraryError: Failure, Equatable {
  package let library: String
  package let operation: String
  package let code: Int32
  package let message: String
  package var kind: FailureKind

  package init(
    _ library: String, _ operation: String, code: Int32 = 0, message: String,
    kind: FailureKind = .software
  ) {
    self.library = library
    self.operation = operation
    self.code = code
    self.message = message
    self.kind = kind
  }

  /// Another error of this module in this form: its words and its kind.
  init(_ error: any Error) {
    switch error {
    case let error as LibraryError: self = error
    case let error as FileError:
      self.init(
        "file system", "\(error.operation) \(error.path.quoted)", message: "\(error.errno)",
        kind: error.kind)
    default: self.init("ociforge", "reading", message: "\(error)")
    }
  }

  /// The library is named where the fault may be its or ours; broken input is broken whoever says so.
  package var description: String {
    let text = "\(operation): \(message.printable)"
    return kind == .software ? text + " (\(library)\(code == 0 ? "" : " code \(code)"))" : text
  }
}
