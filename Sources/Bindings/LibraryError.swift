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

  package var description: String {
    "\(operation): \(message.printable) (\(library)\(code == 0 ? "" : " code \(code)"))"
  }
}
