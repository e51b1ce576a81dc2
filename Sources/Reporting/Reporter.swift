/// What a stage tells people while it works. None of it is an answer, so none of it reaches stdout.
package enum Event: Sendable {
  /// Something worth mending that does not stop the work.
  case warning(String)
  /// One sentence for everyone, such as where a temporary cache went.
  case notice(String)
  /// A decision or a request, shown with `-v`; already redacted.
  case detail(String)
  /// Work on `item` stands at `done` of `total` bytes (`nil`: not known). The first event of an item starts
  /// its bar.
  case progress(item: String, done: Int64, total: Int64?)
  /// `item` is complete; `outcome` says how, such as `cached` or `24.1 MB`.
  case finished(item: String, outcome: String)
}

/// Where events go. Cheap to copy; may be called from any thread.
package struct Reporter: Sendable {
  private let sink: @Sendable (Event) -> Void

  package init(_ sink: @escaping @Sendable (Event) -> Void) { self.sink = sink }

  /// Drops everything.
  package static let silent = Reporter { _ in }

  package func report(_ event: Event) { sink(event) }
  package func warn(_ text: String) { sink(.warning(text)) }
  package func detail(_ text: @autoclosure () -> String) { sink(.detail(text())) }
}
