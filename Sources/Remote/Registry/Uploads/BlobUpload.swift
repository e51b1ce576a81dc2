import NIOHTTP1
import OCISpec
import Reporting
import SystemPackage

/// One blob on its way from a file into a repository: does what ``UploadMachine`` says.
struct BlobUpload {
  let client: RepositoryClient
  let descriptor: Descriptor
  let file: FilePath
  let item: String
  private var machine: UploadMachine
  private var session: UploadSession?
  /// Why the last request did not do what it was to do.
  private var failure: RegistryFailure?
  /// The same for the choice of a pause.
  private var fault = TransferFault.stalled

  private var transport: RegistryTransport { client.transport }

  /// - Parameter session: one that is open already.
  init(
    _ descriptor: Descriptor, from file: FilePath, to client: RepositoryClient, item: String,
    session: UploadSession?
  ) {
    self.descriptor = descriptor
    self.file = file
    self.client = client
    self.item = item
    self.session = session
    let takesChunks =
      client.memory.takesChunks && ChunkSupport.isLikely(client.repository.registry)
    machine = UploadMachine(size: descriptor.size, takesChunks: takesChunks)
  }

  /// - Throws: ``RegistryFailure``, ``UploadLocationError``; no session is left open then.
  mutating func run() async throws {
    do {
      var step = machine.start()
      while step != .done {
        if case .fail(let problem) = step { throw try failure(for: problem) }
        step = machine.next(after: try await perform(step))
        if !machine.takesChunks { client.memory.avoidChunks() }
      }
    } catch {
      if let session { await transport.close(session) }
      guard let corruption = error as? LocalCorruption else { throw error }
      throw transport.failure(
        .localCorruption(path: corruption.path.string), try request(.PUT),
        advice: "nothing of it was taken; run again once the file is right")
    }
  }

  private mutating func perform(_ step: UploadMachine.Step) async throws -> UploadMachine.Event {
    switch step {
    case .open(let pausing): return try await open(pausing: pausing)
    case .sendWhole:
      var request = try request(.PUT)
      request.url = place().closing(with: descriptor.digest)
      request.body = .file(slice(offset: 0, byteCount: descriptor.size))
      request.patience = .commit
      return try await send(request)
    case .sendChunk(let offset, let count):
      var request = try request(.PATCH)
      request.headers.append(("Content-Range", "\(offset)-\(offset + count - 1)"))
      request.body = .file(slice(offset: offset, byteCount: count))
      return try await send(request, from: offset)
    case .finish:
      var request = try request(.PUT)
      request.url = place().closing(with: descriptor.digest)
      request.body = .bytes([])
      request.patience = .commit
      return try await send(request)
    case .askStatus(let pausing):
      if pausing { try await pause() }
      return try await send(try request(.GET))
    case .look(let pausing):
      if pausing { try await pause() }
      return try await client.looksForBlob(descriptor) ? .present : .absent
    case .checkFile:
      let slice = slice(offset: 0, byteCount: descriptor.size)
      for try await _ in FileSliceReader(slice: slice, progress: nil) {}
      return .fileIsSound
    case .done, .fail: preconditionFailure("there is nothing to do after the last step")
    }
  }

  private mutating func open(pausing: Bool) async throws -> UploadMachine.Event {
    if !pausing, failure == nil, let session {
      return .opened(minimumChunk: session.minimumChunk)
    }
    if let session {
      self.session = nil
      await transport.close(session)
    }
    if pausing { try await pause() }
    do {
      let opened = try await client.openUpload(of: descriptor)
      session = opened
      return .opened(minimumChunk: opened.minimumChunk)
    } catch let error as UploadLocationError where error.isNowhere {
      return .openedNowhere
    }
  }

  /// Waits as long as the last fault asks for.
  private mutating func pause() async throws {
    guard let failure else { return }
    let settings = transport.settings
    let history = RetryPolicy.History(attempts: machine.pauses)
    switch settings.retries.decision(
      after: fault, history: history, jitter: settings.pause.jitter())
    {
    case .giveUp: throw failure
    case .askedToWait(let wait):
      guard case .status(let status, _) = fault else { throw failure }
      throw transport.failure(.askedToWait(status: status, wait), try request(.PUT))
    case .retry(let delay):
      client.reporter.report(
        .notice("\(failure.activity): \(failure.problem.text); trying again in \(delay.readable)"))
      // Where the host named the time, its gate is closed until then.
      if case .status(_, _?) = fault { return }
      try await settings.pause.sleep(delay)
    }
  }

  private mutating func send(
    _ request: RegistryRequest, from offset: Int64 = 0
  ) async throws -> UploadMachine.Event {
    var request = request
    if case .file = request.body {
      request.headers.append(("Content-Type", "application/octet-stream"))
      let (reporter, item, total) = (client.reporter, item, descriptor.size)
      request.progress = { done in
        reporter.report(.progress(item: item, done: offset + done, total: total))
      }
    }
    let response: RegistryResponse
    do { response = try await transport.exchange(request) } catch let lost as TransferFailure {
      try Task.checkCancellation()
      failure = transport.failure(of: lost, to: request, attempts: machine.pauses + 1)
      guard lost.fault.isRetryable else { throw failure ?? lost }
      fault = lost.fault
      return .lost
    }
    var refusal = transport.failure(of: response, to: request, attempts: machine.pauses + 1)
    refusal.advice = refusal.advice ?? Self.advice(response)
    failure = refusal
    let wait = transport.retryAfter(response.headers)
    fault = .status(
      TransferFault.isRetryable(status: response.status) ? response.status : 503, retryAfter: wait)
    if request.method != .PUT, response.status < 300 || response.status == 400 {
      session = try session?.following(response, by: transport)
    }
    return .answered(answer(response))
  }

  private func answer(_ response: RegistryResponse) -> UploadMachine.Answer {
    let extent: UploadMachine.Answer.Extent =
      switch response["Range"] {
      case nil: .missing
      case let text?: UploadRange(text).map { .range($0) } ?? .malformed
      }
    return UploadMachine.Answer(
      status: response.status, codes: Set(response.messages.map(\.code)),
      isPassing: transport.isPassing(response), extent: extent,
      hasLocation: response["Location"] != nil,
      otherDigest: response.otherDigest(than: descriptor.digest))
  }

  private func failure(for problem: UploadMachine.Problem) throws -> RegistryFailure {
    switch problem {
    case .lastAnswer: return try failure ?? lack(.protocolBroken("no answer"))
    case .openedNowhere:
      return try lack(
        .protocolBroken("expected to hear where the bytes go (Location), found nothing twice"))
    case .otherDigest(let other):
      return try lack(.digestMismatch(expected: descriptor.digest, found: other))
    }
  }

  private func lack(_ problem: RegistryFailure.Problem) throws -> RegistryFailure {
    transport.failure(problem, try request(session == nil ? .POST : .PUT))
  }

  private static func advice(_ response: RegistryResponse) -> String? {
    response.status == 413
      ? "the registry, or a proxy before it, takes no request of that size" : nil
  }

  private func place() -> UploadLocation {
    guard let session else { preconditionFailure("bytes are sent to an open session") }
    return session.location
  }

  /// Where the session is; without one the request only names what fails.
  private func request(_ method: HTTPMethod) throws -> RegistryRequest {
    var request = try client.uploadRequest(descriptor, [])
    request.body = .none
    request.method = method
    if let session { request.url = session.location.url }
    return request
  }

  /// The digest is the whole blob's; a chunk has none.
  private func slice(offset: Int64, byteCount: Int64) -> RegistryRequest.FileSlice {
    RegistryRequest.FileSlice(
      path: file, offset: offset, byteCount: byteCount,
      digest: byteCount == descriptor.size ? descriptor.digest : nil)
  }
}
