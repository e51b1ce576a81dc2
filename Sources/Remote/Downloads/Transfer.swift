import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import OCISpec
import Reporting

/// One file on its way over the network into a partial file, with all retries.
struct Transfer {
  let url: RemoteURL
  let partial: PartialFile
  let settings: NetworkSettings
  let connections: Connections
  let item: String
  let reporter: Reporter

  /// Fetches until the file is complete and right.
  /// - Returns: its digest; the partial file is ready for its commit.
  func run(expecting expected: Digest?) async throws -> Digest {
    partial.removeStaleNeighbours(now: settings.pause.now())
    var mayFetchAgain = true
    while true {
      let encoding = try await fetchAll()
      let found = try partial.finish()
      guard let expected, expected != found else { return found }
      guard partial.isResumed && mayFetchAgain else {
        partial.discard()
        throw FetchError.digestMismatch(
          url, expected: expected, found: found, byteCount: partial.byteCount,
          contentEncoding: encoding)
      }
      reporter.report(
        .notice("\(url): resumed bytes give \(found), not \(expected); fetching all again"))
      mayFetchAgain = false
      try partial.restart(validator: nil)
    }
  }

  /// Repeats requests until one ends well or the policy gives up.
  /// - Returns: the answer's content encoding, where it has one.
  private func fetchAll() async throws -> String? {
    var history = RetryPolicy.History()
    var attempts = 0
    while true {
      let before = partial.byteCount
      do {
        return try await attempt()
      } catch let failure as TransferFailure {
        try Task.checkCancellation()
        attempts += 1
        history.record(gainedBytes: partial.resumeState.offset > before)
        let decision = settings.retries.decision(
          after: failure.fault, history: history, jitter: settings.pause.jitter())
        switch decision {
        case .retry(let delay):
          reporter.report(
            .notice("\(failure.url): \(failure.fault.text); trying again in \(delay.readable)"))
          try await settings.pause.sleep(delay)
        case .giveUp:
          throw FetchError.failed(url, at: failure.url, failure.fault, attempts: attempts)
        case .askedToWait(let wait):
          guard case .status(let code, _) = failure.fault else {
            preconditionFailure("only a status comes with a wait")
          }
          throw FetchError.askedToWait(url, status: code, wait)
        }
      }
    }
  }

  /// One request with its redirects; a second one where the answer to a range fits nothing.
  private func attempt() async throws -> String? {
    let state = partial.resumeState
    let (last, response) = try await follow(headers: state.headers)
    let headers = response.headers
    switch state.action(
      status: Int(response.status.code), contentRange: headers.first(name: "Content-Range"))
    {
    case .complete: partial.resume()
    case .startOver:
      reporter.detail("\(last): the answer to a range request does not fit; starting over")
      try partial.restart(validator: nil)
      return try await attempt()
    case .append(let total):
      partial.resume()
      try await receive(response, from: last, total: total)
    case .restart:
      try partial.restart(
        validator: Validator(
          entityTag: headers.first(name: "ETag"), lastModified: headers.first(name: "Last-Modified")
        ))
      try await receive(response, from: last, total: nil)
    case .refuse: throw TransferFailure(url: last, fault: fault(of: response))
    }
    return headers.first(name: "Content-Encoding")
  }

  private func fault(of response: HTTPClientResponse) -> TransferFault {
    let wait = response.headers.first(name: "Retry-After").flatMap {
      RetryAfter.wait($0, now: settings.pause.now())
    }
    let code = Int(response.status.code)
    return (100..<400).contains(code)
      ? .malformedResponse("status \(code) where 200 was expected")
      : .status(code, retryAfter: wait)
  }

  private func follow(
    headers: [(name: String, value: String)]
  ) async throws -> (url: RemoteURL, response: HTTPClientResponse) {
    var visited = [url]
    var current = url
    while true {
      reporter.detail("GET \(current)" + (headers.isEmpty ? "" : " (\(headers[0].value))"))
      let response = try await connections.send(
        .GET, current, headers: [("Accept", "*/*")] + headers)
      guard RedirectPolicy.isRedirect(Int(response.status.code)) else { return (current, response) }
      current = try settings.redirects.next(
        after: visited, location: response.headers.first(name: "Location"))
      visited.append(current)
    }
  }

  private func receive(
    _ response: HTTPClientResponse, from source: RemoteURL, total: Int64?
  ) async throws {
    let length = response.headers.first(name: "Content-Length").flatMap { Int64($0) }
    let end = total ?? length.map { partial.byteCount + $0 }
    if let end, end > settings.maximumSize {
      throw FetchError.tooLarge(url, limit: settings.maximumSize)
    }
    var reported = partial.byteCount
    reporter.report(.progress(item: item, done: reported, total: end))
    do {
      for try await chunk in response.body {
        try chunk.withUnsafeReadableBytes { try partial.append($0) }
        if partial.byteCount > settings.maximumSize {
          partial.discard()
          throw FetchError.tooLarge(url, limit: settings.maximumSize)
        }
        if partial.byteCount - reported >= Self.progressStep {
          reported = partial.byteCount
          reporter.report(.progress(item: item, done: reported, total: end))
        }
      }
    } catch {
      try Task.checkCancellation()
      let fault = TransferFault(error, from: source, through: nil)
      throw fault.map { TransferFailure(url: source, fault: $0) } ?? error
    }
    if let end, partial.byteCount != end {
      let text = "expected \(end) bytes, got \(partial.byteCount)"
      throw TransferFailure(url: source, fault: .cutOff(text))
    }
    reporter.report(.progress(item: item, done: partial.byteCount, total: end))
  }

  private static let progressStep: Int64 = 256 << 10
}
