/// A path pattern of `include` and `exclude`.
package struct Glob: Sendable, Equatable {
  package let pattern: String
}
