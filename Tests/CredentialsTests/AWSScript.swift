import Synchronization

@testable import Credentials

/// Services of AWS that answer as a script says, with what they were asked.
final class AWSScript: Sendable {
  private let log = Mutex<[ServiceRequest]>([])
  private let answer: @Sendable (ServiceRequest, Int) throws -> ServiceResponse

  /// - Parameter answer: gets the request and how many came before it.
  init(_ answer: @escaping @Sendable (ServiceRequest, Int) throws -> ServiceResponse) {
    self.answer = answer
  }

  /// Nobody answers.
  static var silent: AWSScript {
    AWSScript { _, _ in throw NoAnswer(.interrupted, "connection timed out") }
  }

  var requests: [ServiceRequest] { log.withLock { $0 } }

  var exchange: ServiceExchange {
    { request in
      let number = self.log.withLock { log in
        log.append(request)
        return log.count - 1
      }
      return try self.answer(request, number)
    }
  }
}

extension ServiceRequest {
  subscript(name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
  var text: String { String(decoding: body, as: UTF8.self) }
}

extension ServiceResponse {
  init(_ status: Int, _ body: String = "", _ headers: [(name: String, value: String)] = []) {
    self.init(status: status, headers: headers, body: Array(body.utf8))
  }

  /// ECR's answer with `AWS:<password>`.
  static func password(_ base64: String, expires: String) -> ServiceResponse {
    ServiceResponse(
      200,
      #"{"authorizationData":[{"authorizationToken":"\#(base64)","expiresAt":\#(expires),"proxyEndpoint":"https://x"}]}"#
    )
  }

  static func failure(_ status: Int, _ code: String, date: String? = nil) -> ServiceResponse {
    ServiceResponse(
      status, #"{"__type":"com.amazonaws.ecr#\#(code):http://internal/","message":"no"}"#,
      date.map { [("Date", $0)] } ?? [])
  }
}

/// A clock that stands still until it is set, and a list of the waits.
final class StoppedClock: Sendable {
  private let time: Mutex<Int64>
  private let log = Mutex<[Duration]>([])

  init(_ time: Int64 = 1_767_225_600) { self.time = Mutex(time) }

  var now: Int64 {
    get { time.withLock { $0 } }
    set { time.withLock { $0 = newValue } }
  }
  var waits: [Duration] { log.withLock { $0 } }
  func wait(_ duration: Duration) { log.withLock { $0.append(duration) } }
}

extension AWSSurroundings {
  /// A machine of its own: no files but those that the variables name.
  init(
    _ variables: [String: String], _ exchange: @escaping ServiceExchange,
    clock: StoppedClock = StoppedClock(), profile: String? = nil,
    run: @escaping RunProgram = { _, _ in throw NoAnswer(.interrupted, "no program here") }
  ) {
    self.init(
      environment: { variables[$0] }, exchange: exchange, run: run,
      clock: AWSClock { clock.now }, sleep: { clock.wait($0) }, jitter: { 0 }, profile: profile)
  }
}

/// The keys of AWS's own examples.
let exampleKeys = [
  "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
  "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
]
