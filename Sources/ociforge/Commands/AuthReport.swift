import Credentials
import OCISpec
import Reporting

/// What `auth` says of a repository's credential.
struct AuthReport {
  private let repository: Repository
  private let sources: [CredentialSourceReport]
  /// What each place said that AWS credentials were looked for in, where any was.
  private let amazon: [(provider: String, outcome: String)]

  init(
    _ repository: Repository, _ sources: [CredentialSourceReport],
    amazon: [(provider: String, outcome: String)]
  ) {
    self.repository = repository
    self.sources = sources
    self.amazon = amazon
  }

  private var winner: CredentialSourceReport? { sources.first { $0.outcome == .won } }

  /// What ended the search.
  var error: (any Error)? { sources.lazy.compactMap(\.error).first }

  func text(now: Int64) -> String {
    var lines = [("registry", repository.registry.description)]
    if !repository.path.isEmpty { lines.append(("repository", repository.path)) }
    lines.append(("credential", verdict(now: now)))
    if let winner { lines.append(("from", place(of: winner))) }
    let rows = sources.map { source in
      (Self.mark(source.outcome) + source.source, said(by: source, now: now))
    }
    let steps = amazon.map { ("  \($0.provider)", $0.outcome.printable) }
    return Self.table(lines) + "\n" + Self.table(rows)
      + (steps.isEmpty ? "" : "\nAWS credentials\n" + Self.table(steps))
  }

  private func verdict(now: Int64) -> String {
    if let credential = winner?.credential { return credential.description(now: now) }
    return error == nil
      ? "none, so the registry is asked anonymously" : "unknown, as a source cannot be asked"
  }

  private func place(of source: CredentialSourceReport) -> String {
    let place = source.path?.printable ?? source.source
    if let helper = source.helper {
      return "\(helper), which \(place) names as \(source.key ?? "")"
    }
    return place + (source.key.map { ", entry \($0.quoted)" } ?? "")
  }

  private func said(by source: CredentialSourceReport, now: Int64) -> String {
    let words: String
    switch source.outcome {
    case .won:
      let credential = source.credential?.description(now: now) ?? ""
      words = (source.helper ?? source.key?.quoted).map { "\($0): \(credential)" } ?? credential
    case .failed: words = "failed, see the error"
    case .nothing: words = source.said
    case .notAsked: words = "not asked"
    }
    return (source.path.map { "\($0.printable): " } ?? "") + words
  }

  private static func mark(_ outcome: CredentialSourceReport.Outcome) -> String {
    switch outcome {
    case .won: "* "
    case .failed: "! "
    case .nothing, .notAsked: "  "
    }
  }

  private static func table(_ rows: [(label: String, value: String)]) -> String {
    let width = rows.map(\.label.count).max() ?? 0
    return rows.map { row in
      row.label + String(repeating: " ", count: width + 2 - row.label.count) + row.value + "\n"
    }.joined()
  }

  var json: JSON {
    func text(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }
    func summary(_ credential: CredentialSummary?) -> JSON {
      guard let credential else { return .null }
      return .object([
        "kind": .string(credential.kind.rawValue), "user": text(credential.user),
        "expires": credential.expiry.map(JSON.integer) ?? .null,
      ])
    }
    return .object([
      "registry": .string(repository.registry.description),
      "repository": text(repository.path.isEmpty ? nil : repository.path),
      "isAnonymous": .bool(winner == nil && error == nil),
      "source": text(winner?.source),
      "credential": summary(winner?.credential),
      "sources": .array(
        sources.map { source in
          .object([
            "source": .string(source.source),
            "outcome": .string(source.outcome.rawValue),
            "path": text(source.path),
            "key": text(source.key),
            "helper": text(source.helper),
            "said": .string(source.said),
          ])
        }),
      "amazon": .array(
        amazon.map { step in
          .object(["provider": .string(step.provider), "said": .string(step.outcome)])
        }),
    ])
  }
}
