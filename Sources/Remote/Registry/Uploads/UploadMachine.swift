import OCISpec

/// What to do next to bring one blob into a registry: registry.md, B.6 and D.2.
///
/// Decides and does nothing: it is told what each step came to and says the next one.
struct UploadMachine: Sendable {
  enum Step: Sendable, Equatable {
    /// Give up the session that there is and ask for a new one.
    case open(pausing: Bool)
    /// The whole blob and its digest in one PUT.
    case sendWhole
    case sendChunk(offset: Int64, byteCount: Int64)
    /// A PUT with the digest and without a byte.
    case finish
    /// How much does the session have?
    case askStatus(pausing: Bool)
    /// Is the blob there?
    case look(pausing: Bool)
    /// Is the file still what its digest says?
    case checkFile
    case done
    case fail(Problem)
  }

  enum Event: Sendable, Equatable {
    case opened(minimumChunk: Int64?)
    /// A session without a place to send to.
    case openedNowhere
    case answered(Answer)
    /// No answer came, and another attempt may help.
    case lost
    case present
    case absent
    case fileIsSound
  }

  enum Problem: Sendable, Equatable {
    /// The last answer, or the lack of one, is what went wrong.
    case lastAnswer
    case openedNowhere
    case otherDigest(Digest)
  }

  /// What counts of an answer.
  struct Answer: Sendable, Equatable {
    enum Extent: Sendable, Equatable {
      case missing, malformed
      case range(UploadRange)
    }

    var status: Int
    var codes: Set<String> = []
    /// Whether its trouble may be over soon.
    var isPassing = false
    var extent = Extent.missing
    var hasLocation = false
    /// The digest that it names, where that is not ours.
    var otherDigest: Digest?
  }

  private enum Phase: Equatable {
    case opening, sendingWhole, finishing, askingStatus, checkingFile
    case sendingChunk(offset: Int64, byteCount: Int64)
    case looking
    /// After an answer that says that all is well without being the one that does.
    case confirming(Int)
  }

  private let size: Int64
  private var phase = Phase.opening
  /// Whether the registry is known for nothing that forbids chunks.
  private(set) var takesChunks: Bool
  /// Pauses since something went well.
  private(set) var pauses = 0
  private var isChunked = false
  private var isWholeTooLarge = false
  private var wasOpenedNowhere = false
  private var failedSessions = 0
  private var digestComplaints = 0
  private var chunkSize = Self.usualChunk
  private var minimumChunk: Int64 = 0
  /// Of the session: bytes that the registry said it has, and those that went out.
  private var acknowledged: Int64 = 0
  private var sent: Int64 = 0
  private var resumes = 0
  private var stalls = 0
  private var hasRestartedChunks = false

  static let usualChunk: Int64 = 32 << 20
  static let smallestChunk: Int64 = 1 << 20
  /// Whatever a registry wants for its least.
  static let largestChunk: Int64 = 1 << 30
  static let sessionLimit = 3
  static let resumeLimit = 10
  static let confirmationLimit = 3

  init(size: Int64, takesChunks: Bool) {
    self.size = size
    self.takesChunks = takesChunks
  }

  /// The first step where no session is open.
  mutating func start() -> Step { open(pausing: false) }

  /// - Precondition: the event is one that the last step can come to.
  mutating func next(after event: Event) -> Step {
    switch (phase, event) {
    case (.opening, .opened(let minimum)): return begin(minimumChunk: minimum)
    case (.opening, .openedNowhere):
      guard !wasOpenedNowhere else { return .fail(.openedNowhere) }
      wasOpenedNowhere = true
      return open(pausing: false)
    case (.sendingWhole, .answered(let answer)), (.finishing, .answered(let answer)):
      return afterClosing(answer)
    case (.sendingWhole, .lost), (.finishing, .lost): return look()
    case (.sendingChunk(let offset, let count), .answered(let answer)):
      return afterChunk(answer, offset: offset, byteCount: count)
    case (.sendingChunk, .lost): return askStatus(pausing: true)
    case (.askingStatus, .answered(let answer)): return afterStatus(answer)
    case (.askingStatus, .lost): return restart()
    case (.looking, .present), (.confirming, .present): return .done
    case (.confirming(let count), .absent) where count < Self.confirmationLimit:
      phase = .confirming(count + 1)
      pauses += 1
      return .look(pausing: true)
    case (.looking, .absent), (.confirming, .absent): return restart()
    case (.checkingFile, .fileIsSound):
      digestComplaints += 1
      return digestComplaints > 1 ? .fail(.lastAnswer) : restart()
    default: preconditionFailure("\(event) is not what \(phase) comes to")
    }
  }

  // MARK: Answers

  private mutating func afterClosing(_ answer: Answer) -> Step {
    if let other = answer.otherDigest, (200...204).contains(answer.status) {
      return .fail(.otherDigest(other))
    }
    switch answer.status {
    case 201: return .done
    case 200, 202, 204:
      phase = .confirming(1)
      return .look(pausing: false)
    case 400..<500 where answer.codes.contains("DIGEST_INVALID"):
      phase = .checkingFile
      return .checkFile
    case 413 where phase == .sendingWhole && takesChunks && size > Self.smallestChunk:
      isWholeTooLarge = true
      isChunked = true
      chunkSize = min(chunkSize, max(size / 2, Self.smallestChunk))
      return open(pausing: false)
    // It was not looked at; the session is left all the same, as its offset is not sure.
    case 408, 425, 429: return open(pausing: true)
    case 404, 409, 416: return look()
    default: return answer.isPassing ? look() : .fail(.lastAnswer)
    }
  }

  private mutating func afterChunk(_ answer: Answer, offset: Int64, byteCount: Int64) -> Step {
    switch answer.status {
    case 202:
      switch answer.extent {
      case .malformed: return askStatus(pausing: false)
      case .missing: acknowledged = offset + byteCount
      case .range(let range):
        guard let count = range.byteCount(sent: sent, acknowledged: acknowledged) else {
          return sendWholeInstead()
        }
        stalls = count > offset ? 0 : stalls + 1
        if stalls > 1 { return sendWholeInstead() }
        acknowledged = count
      }
      if stalls == 0 { pauses = 0 }
      return goOn()
    // ECR: it takes no more than one chunk, https://github.com/aws/containers-roadmap/issues/2831.
    case 201, 405, 501: return sendWholeInstead()
    case 416:
      return offset == 0 && hasRestartedChunks ? sendWholeInstead() : askStatus(pausing: false)
    case 413:
      let smaller = max(byteCount / 2, Self.smallestChunk, minimumChunk)
      guard smaller < byteCount else { return .fail(.lastAnswer) }
      chunkSize = smaller
      return askStatus(pausing: false)
    case 404: return restart()
    case 409: return askStatus(pausing: true)
    case 400 where answer.hasLocation && answer.extent != .missing:
      return askStatus(pausing: false)
    default: return answer.isPassing ? askStatus(pausing: true) : .fail(.lastAnswer)
    }
  }

  private mutating func afterStatus(_ answer: Answer) -> Step {
    guard (200...204).contains(answer.status), case .range(let range) = answer.extent else {
      return restart()
    }
    guard let count = range.byteCount(sent: sent, acknowledged: acknowledged) else {
      return sendWholeInstead()
    }
    if count > acknowledged { pauses = 0 }
    acknowledged = count
    if count == 0 { hasRestartedChunks = true }
    return goOn()
  }

  // MARK: Steps

  private mutating func begin(minimumChunk minimum: Int64?) -> Step {
    minimumChunk = min(max(minimum ?? 0, 0), Self.largestChunk)
    (acknowledged, sent, resumes, stalls) = (0, 0, 0, 0)
    hasRestartedChunks = false
    if isChunked { return goOn() }
    phase = .sendingWhole
    return .sendWhole
  }

  /// The next chunk, or the end.
  private mutating func goOn() -> Step {
    guard acknowledged < size else {
      phase = .finishing
      return .finish
    }
    let count = min(max(chunkSize, minimumChunk), size - acknowledged)
    sent = max(sent, acknowledged + count)
    phase = .sendingChunk(offset: acknowledged, byteCount: count)
    return .sendChunk(offset: acknowledged, byteCount: count)
  }

  private mutating func open(pausing: Bool) -> Step {
    phase = .opening
    if pausing { pauses += 1 }
    return .open(pausing: pausing)
  }

  private mutating func look() -> Step {
    phase = .looking
    return .look(pausing: false)
  }

  private mutating func askStatus(pausing: Bool) -> Step {
    resumes += 1
    guard resumes <= Self.resumeLimit else { return restart() }
    phase = .askingStatus
    if pausing { pauses += 1 }
    return .askStatus(pausing: pausing)
  }

  /// From the first byte in a new session, as often as that may help. What fails whole twice is tried in chunks.
  private mutating func restart() -> Step {
    failedSessions += 1
    guard failedSessions < Self.sessionLimit else { return .fail(.lastAnswer) }
    if failedSessions == Self.sessionLimit - 1 && takesChunks { isChunked = true }
    return open(pausing: true)
  }

  private mutating func sendWholeInstead() -> Step {
    takesChunks = false
    isChunked = false
    return isWholeTooLarge ? .fail(.lastAnswer) : open(pausing: false)
  }
}
