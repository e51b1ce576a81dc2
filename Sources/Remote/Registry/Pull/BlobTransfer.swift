import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import OCISpec
import Reporting

/// One blob on its way from a registry into a partial file, with all retries: registry.md, B.3.
struct BlobTransfer {
  let client: RepositoryClient
  let request: RegistryRequest
  let descriptor: Descriptor
  let partial: PartialFile
  let item: String
  let reporter: Reporter

  private var transport: RegistryTransport { client.transport }

  /// Fetches until the blob is complete and right; the partial file is then ready for its commit.
  func run() async throws {
    let settings = transport.settings
    guard descriptor.size <= settings.maximumSize else {
      throw transport.failure(.tooLarge(limit: Int(settings.maximumSize)), request)
    }
    partial.removeStaleNeighbours(now: settings.pause.now())
    if partial.byteCount > descriptor.size { try partial.restart(validator: nil) }
    if partial.byteCount > 0 { partial.resume() }
    var mayFetchAgain = true
    while true {
      try await fetchAll()
      let found = try partial.finish()
      if found == descriptor.digest { return }
      guard mayFetchAgain else {
        partial.discard()
        throw transport.failure(
          .digestMismatch(expected: descriptor.digest, found: found), request, attempts: 2,
          advice: "the registry's copy is damaged, or somebody on the way changes it")
      }
      reporter.report(
        .notice(
          "\(request.url): the bytes give \(found), not \(descriptor.digest); fetching all again"))
      mayFetchAgain = false
      try partial.restart(validator: nil)
    }
  }

  /// Repeats requests until the blob is complete or the policy gives up. Always from the registry: where it sends us
  /// may be good for a while only.
  private func fetchAll() async throws {
    let settings = transport.settings
    var history = RetryPolicy.History()
    var mayStartOver = true
    var attempts = 0
    var lastRetry = settings.pause.uptime()
    while partial.byteCount < descriptor.size {
      let before = partial.byteCount
      do {
        guard try await attempt() == .mustStartOver else { continue }
        guard mayStartOver else {
          throw transport.failure(
            .protocolBroken("the answers to a range request do not fit"), request)
        }
        reporter.detail("\(request.url): the answer to a range request does not fit; starting over")
        mayStartOver = false
        try partial.restart(validator: nil)
      } catch let failure as TransferFailure {
        try Task.checkCancellation()
        attempts += 1
        let now = settings.pause.uptime()
        // https://github.com/containers/image/blob/main/docker/body_reader.go has the same measure.
        let isProgress =
          partial.byteCount - before >= Self.leastProgress
          || (partial.byteCount > before && now - lastRetry >= Self.leastPause)
        lastRetry = now
        history.record(gainedBytes: isProgress)
        let decision = settings.retries.decision(
          after: failure.fault, history: history, jitter: settings.pause.jitter())
        switch decision {
        case .retry(let delay):
          reporter.report(
            .notice("\(failure.url): \(failure.fault.text); trying again in \(delay.readable)"))
          if case .status(_, _?) = failure.fault { continue }
          try await settings.pause.sleep(delay)
        case .giveUp: throw transport.failure(of: failure, to: request, attempts: attempts)
        case .askedToWait(let wait):
          guard case .status(let code, _) = failure.fault else { throw failure }
          throw transport.failure(
            .askedToWait(status: code, wait), request, at: failure.url, attempts: attempts)
        }
      }
    }
  }

  private static let leastProgress: Int64 = 1 << 20
  private static let leastPause = Duration.seconds(60)

  private enum Outcome { case received, mustStartOver }

  private func attempt() async throws -> Outcome {
    var request = request
    let offset = partial.byteCount
    if offset > 0 { request.headers.append(("Range", "bytes=\(offset)-")) }
    return try await transport.withResponse(to: request) { response, url in
      switch (Int(response.status.code), offset) {
      case (200, _):
        if offset > 0 {
          reporter.detail("\(url): the range was ignored; starting over")
          try partial.restart(validator: nil)
        }
        try checkLength(response, from: url, expecting: descriptor.size)
        try await receive(response, from: url)
        return .received
      case (206, 1...):
        let range = response.headers.first(name: "Content-Range").flatMap(ContentRange.init)
        guard let range, range.first == offset, range.last == descriptor.size - 1,
          range.total ?? descriptor.size == descriptor.size
        else { return .mustStartOver }
        try checkLength(response, from: url, expecting: descriptor.size - offset)
        try await receive(response, from: url)
        return .received
      case (416, 1...):
        await transport.drain(response)
        return .mustStartOver
      default: throw try await refusal(response, from: url)
      }
    }
  }

  private func refusal(_ response: HTTPClientResponse, from url: RemoteURL) async throws
    -> any Error
  {
    let answer = try await transport.collect(response, from: url, for: request)
    if transport.isPassing(answer) {
      let wait = transport.retryAfter(answer.headers)
      return TransferFailure(url: url, fault: .status(answer.status, retryAfter: wait))
    }
    return client.refusal(of: answer, to: request, descriptor)
  }

  private func checkLength(
    _ response: HTTPClientResponse, from url: RemoteURL, expecting size: Int64
  ) throws {
    guard let text = response.headers.first(name: "Content-Length"), text != "\(size)" else {
      return
    }
    guard let found = Int64(text) else {
      throw transport.failure(.protocolBroken("content length \(text.quoted)"), request, at: url)
    }
    partial.discard()
    throw transport.failure(.sizeMismatch(expected: size, found: found), request, at: url)
  }

  private func receive(_ response: HTTPClientResponse, from source: RemoteURL) async throws {
    var reported = partial.byteCount
    reporter.report(.progress(item: item, done: reported, total: descriptor.size))
    do {
      for try await chunk in response.body {
        let room = descriptor.size - partial.byteCount
        guard Int64(chunk.readableBytes) <= room else {
          partial.discard()
          let found = partial.byteCount + Int64(chunk.readableBytes)
          throw transport.failure(
            .sizeMismatch(expected: descriptor.size, found: found), request, at: source)
        }
        try chunk.withUnsafeReadableBytes { try partial.append($0) }
        if partial.byteCount - reported >= Self.progressStep {
          reported = partial.byteCount
          reporter.report(.progress(item: item, done: reported, total: descriptor.size))
        }
      }
    } catch {
      try Task.checkCancellation()
      let fault = TransferFault(error, from: source, through: nil)
      throw fault.map { TransferFailure(url: source, fault: $0) } ?? error
    }
    if partial.byteCount != descriptor.size {
      let text = "expected \(descriptor.size) bytes, got \(partial.byteCount)"
      throw TransferFailure(url: source, fault: .cutOff(text))
    }
    reporter.report(.progress(item: item, done: partial.byteCount, total: descriptor.size))
  }

  private static let progressStep: Int64 = 256 << 10
}
