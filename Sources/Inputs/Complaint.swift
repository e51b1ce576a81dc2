import Definition
import Reporting

/// An error with the input it belongs to.
struct Complaint {
  struct Place: Hashable, Comparable {
    let file: String
    let line: Int
    let column: Int
    let name: String

    init(_ input: Input) {
      file = input.location.file
      line = input.location.line
      column = input.location.column
      name = input.name
    }

    static func < (a: Self, b: Self) -> Bool {
      (a.file, a.line, a.column, a.name) < (b.file, b.line, b.column, b.name)
    }
  }

  let place: Place
  let error: any Error

  var failure: ContextualFailure {
    ContextualFailure(
      "\(place.file):\(place.line):\(place.column): input \(place.name.quoted)", error)
  }
}
