import OCISpec

extension AWSServiceError {
  /// Reads the error of an answer: JSON with `__type` and `message`, JSON with `code` and `message`, or XML
  /// with `Error/Code` and `Error/Message`.
  init(
    _ response: ServiceResponse, of operation: AWSOperation, host: String,
    credentials: AWSCredentials?, now: Int64
  ) {
    action = operation.action
    self.host = host
    status = response.status
    source = credentials?.source
    date = response["Date"].flatMap { secondsSince1970(httpDate: $0[...]) }
    retryAfter = response["Retry-After"].flatMap { Self.wait($0, now: now) }
    var (code, message) = ("", "")
    if let json = try? JSON(parsing: response.body) {
      code = json["__type"]?.stringValue ?? json["code"]?.stringValue ?? ""
      message = json["message"]?.stringValue ?? json["Message"]?.stringValue ?? ""
    } else if let xml = try? XMLReply(parsing: response.body) {
      code = xml["ErrorResponse/Error/Code"] ?? ""
      message = xml["ErrorResponse/Error/Message"] ?? ""
    }
    self.code = Self.bare(response["X-Amzn-ErrorType"] ?? code)
    self.message = Self.harmless(message, credentials)
  }

  /// `aws.protocols#FooException:http://…` is `FooException`.
  private static func bare(_ code: String) -> String {
    let name = code.prefix { $0 != ":" }
    return String(name.split(separator: "#").last ?? "")
  }

  /// A service that finds a signature wrong shows what should have been signed, session token included.
  private static func harmless(_ message: String, _ credentials: AWSCredentials?) -> String {
    let line = String(message.prefix { !$0.isNewline })
    let secrets = [credentials?.secretAccessKey, credentials?.sessionToken].compactMap(\.self)
    return secrets.contains { line.contains($0.reveal()) } ? "" : line
  }

  /// RFC 9110, section 10.2.3.
  private static func wait(_ text: String, now: Int64) -> Duration? {
    if let seconds = Int64(text) { return seconds >= 0 ? .seconds(seconds) : nil }
    return secondsSince1970(httpDate: text[...]).map { .seconds(max(0, $0 - now)) }
  }
}
